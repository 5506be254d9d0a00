/** Lets node find modules by the addresses under which the gateway serves them. Import this first. */

import { register } from "node:module";

const hooks = `
const ROOT = new URL("../../../", "${import.meta.url}");
export async function resolve(specifier, context, next) {
  if (specifier.startsWith("/overlay/")) return next(new URL("overlay/pages/" + specifier.slice(9), ROOT).href, context);
  if (specifier.startsWith("/studio/")) return next(new URL("api/studio/" + specifier.slice(8), ROOT).href, context);
  if (specifier.startsWith("/console/")) return next(new URL("api/console/" + specifier.slice(9), ROOT).href, context);
  return next(specifier, context);
}
export async function load(url, context, next) {
  return next(url, url.endsWith(".js") ? { ...context, format: "module" } : context);
}`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
