import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { ask, read } = await import("/studio/js/chatline.js");
const anime = (prompt, style = null, characters = [], preset = null) => ({
  kind: "anime",
  prompt,
  style,
  characters,
  preset,
});

test("quotes are optional and may be of any kind", () => {
  for (const line of [
    '!anime "girl with sword, neon rain"',
    "!anime girl with sword, neon rain",
    "!anime “girl with sword, neon rain”",
    "!ANIME   'girl with sword, neon rain'  ",
    "!anime «girl with sword, neon rain»",
    "!anime 「girl with sword, neon rain」",
    "!anime „girl with sword, neon rain“",
    "!anime ”girl with sword, neon rain”",
  ])
    assert.deepEqual(read(line), anime("girl with sword, neon rain"), line);
});

test("a quote that does not close belongs to the prompt", () => {
  assert.deepEqual(read('!anime "unclosed'), anime('"unclosed'));
  assert.deepEqual(read('!anime a "quoted" word'), anime('a "quoted" word'));
});

test("a style may be named before or after the prompt, with any dash", () => {
  for (const line of [
    '!anime "fox" --style neon',
    '!anime --style neon "fox"',
    "!anime fox --style=Neon",
    "!anime fox —style neon",
  ]) {
    assert.deepEqual(read(line), anime("fox", "neon"), line);
  }
});

test("characters and a preset may be named too, in any order, each once and three at most", () => {
  for (const line of [
    '!anime "fox" --character hana --style neon --character Ren --preset draft',
    '!anime --preset=draft --character=hana "fox" —character ren --style neon',
    "!anime fox --character hana --character hana --character ren --style neon --preset draft --style cel",
  ])
    assert.deepEqual(read(line), anime("fox", "neon", ["hana", "ren"], "draft"), line);
  const crowd = read("!anime fox --character a --character b --character c --character d");
  assert.deepEqual(crowd.characters, ["a", "b", "c"]);
});

test("inside quotes nothing is an option", () => {
  assert.deepEqual(read('!anime "a sign that says --style neon"'), anime("a sign that says --style neon"));
  assert.deepEqual(
    read('!anime "a sign that says --style neon" --style cel'),
    anime("a sign that says --style neon", "cel"),
  );
});

test("an empty prompt is sent empty, so that the gateway can say what to do", () => {
  assert.deepEqual(read("!anime"), anime(""));
  assert.deepEqual(read('!anime ""'), anime(""));
});

test("markup and other scripts stay what they are", () => {
  assert.deepEqual(read("!anime <img src=x onerror=alert(1)>"), anime("<img src=x onerror=alert(1)>"));
  assert.deepEqual(read("!anime ひまわり畑を走る列車 🚂"), anime("ひまわり畑を走る列車 🚂"));
});

test("the unseen character that chat programs append to repeated lines is dropped", () => {
  assert.deepEqual(read("!queue \u{E0000}"), { kind: "queue" });
});

test("other commands and talk", () => {
  assert.deepEqual(read("!queue"), { kind: "queue" });
  assert.deepEqual(read(" !POS "), { kind: "pos" });
  assert.deepEqual(read("hello !anime"), { kind: "talk", text: "hello !anime" });
  assert.deepEqual(read("!animefan"), { kind: "talk", text: "!animefan" });
});

test("a written line reads back as what was asked", () => {
  for (const asked of [
    anime("fox in a ramen shop", "neon"),
    anime('a "quoted" fox'),
    anime("says --style x", "cel"),
    anime("fox", null, ["hana", "ren"], "draft"),
  ]) {
    assert.deepEqual(read(ask(asked.prompt, asked)), asked);
  }
});
