import { invalid } from "../../error.ts";

/** What an XML text is made of, in order. */
export interface XmlHandler {
  open(name: string, attributes: Readonly<Record<string, string>>, line: number): void;
  /** Text inside the innermost open element, in one or more pieces; entities are resolved. */
  text(content: string): void;
  close(name: string): void;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

const resolve = (text: string): string =>
  text.includes("&") ? text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole) : text;

/**
 * Elements, attributes and text of XML as programs write it, in pieces of any size; comments and declarations are passed
 * over. No document types, no CDATA, no namespaces: an error where they stand.
 */
export class XmlReader {
  readonly #handler: XmlHandler;
  readonly #file: string;
  readonly #open: string[] = [];
  #rest = "";
  #line = 1;

  constructor(handler: XmlHandler, file: string) {
    this.#handler = handler;
    this.#file = file;
  }

  /** Names of the elements that are still open. */
  get path(): readonly string[] {
    return this.#open;
  }

  /** Line reached. */
  get line(): number {
    return this.#line;
  }

  push(piece: string): void {
    const text = this.#rest + piece;
    let at = 0;
    for (;;) {
      const start = text.indexOf("<", at);
      if (start < 0) break;
      const comment = text.startsWith("<!--", start);
      const end = text.indexOf(comment ? "-->" : ">", start);
      if (end < 0) break;
      if (start > at) this.#text(text.slice(at, start));
      this.#tag(text.slice(start + 1, end));
      at = end + (comment ? 3 : 1);
      this.#count(text, start, at);
    }
    this.#rest = text.slice(at);
  }

  #count(text: string, from: number, to: number): void {
    for (let k = text.indexOf("\n", from); k >= 0 && k < to; k = text.indexOf("\n", k + 1)) this.#line++;
  }

  #text(text: string): void {
    if (this.#open.length > 0) this.#handler.text(resolve(text));
    this.#count(text, 0, text.length);
  }

  #tag(inner: string): void {
    if (inner.startsWith("?") || inner.startsWith("!--")) return;
    if (inner.startsWith("!")) throw this.#wrong("elements and text only", `<${inner.slice(0, 20)}`);
    if (inner.startsWith("/")) this.#close(inner.slice(1).trim());
    else {
      const empty = inner.endsWith("/");
      const name = /^[^\s/]+/.exec(inner)?.[0];
      if (name === undefined) throw this.#wrong("the name of an element", `<${inner}>`);
      const attributes: Record<string, string> = {};
      for (const [, key, , double, single] of inner.matchAll(/([\w:.-]+)\s*=\s*("([^"]*)"|'([^']*)')/g))
        attributes[key] = resolve(double ?? single);
      this.#open.push(name);
      this.#handler.open(name, attributes, this.#line);
      if (empty) this.#close(name);
    }
  }

  #close(name: string): void {
    const own = this.#open.pop();
    if (own !== name)
      throw this.#wrong(own === undefined ? "an element to close" : `</${own}>`, `</${name}>`);
    this.#handler.close(name);
  }

  #wrong(expected: string, found: string) {
    return invalid(`${this.#file}:${this.#line}`, expected, found);
  }
}
