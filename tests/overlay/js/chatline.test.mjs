import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { ask, read } = await import("/studio/js/chatline.js");
const anime = (prompt, style = null) => ({ kind: "anime", prompt, style });

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
  for (const [prompt, style] of [
    ["fox in a ramen shop", "neon"],
    ['a "quoted" fox', ""],
    ["says --style x", "cel"],
  ]) {
    assert.deepEqual(read(ask(prompt, style)), anime(prompt, style || null));
  }
});
