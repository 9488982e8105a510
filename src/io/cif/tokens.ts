import { InputError } from "../../error.ts";

/** A value of a CIF and the line on which it begins. */
export interface CifValue {
  readonly text: string;
  readonly line: number;
}

/** One data_ block: values by their tags in lower case; of a loop one value for each row. */
export interface CifBlock {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, CifValue[]>;
}

interface Token extends CifValue {
  /** In quotes or between semicolons: never a keyword or a tag. */
  readonly quoted: boolean;
}

const TOKEN = /'((?:[^']|'(?=\S))*)'(?=\s|$)|"((?:[^"]|"(?=\S))*)"(?=\s|$)|#.*|\S+/g;

/** Words, quoted strings and text fields, without comments (S. R. Hall et al., DOI 10.1107/S010876739101067X). */
function* tokensOf(lines: readonly string[], file: string): Generator<Token> {
  for (let k = 0; k < lines.length; k++) {
    const line = k + 1;
    if (lines[k].startsWith(";")) {
      const parts = [lines[k].slice(1)];
      while (++k < lines.length && !lines[k].startsWith(";")) parts.push(lines[k]);
      if (k === lines.length)
        throw problem(file, line, 'a text field that ends with ";"', "the end of the file");
      yield { text: parts.join("\n"), line, quoted: true };
      continue;
    }
    for (const [whole, single, double] of lines[k].matchAll(TOKEN)) {
      if (whole.startsWith("#")) break;
      const text = single ?? double;
      yield { text: text ?? whole, line, quoted: text !== undefined };
    }
  }
}

const problem = (file: string, line: number, expected: string, found: string) =>
  new InputError([{ place: `${file}:${line}`, expected, found }]);

const isTag = ({ quoted, text }: Token): boolean => !quoted && text.startsWith("_");
const isKeyword = ({ quoted, text }: Token): boolean =>
  !quoted && /^(data_|loop_$|save_|global_$|stop_$)/i.test(text);

/** The blocks of a CIF. */
export function blocksOf(lines: readonly string[], file: string): CifBlock[] {
  const tokens = [...tokensOf(lines, file)];
  const blocks: CifBlock[] = [];
  let at = 0;
  const put = (tag: Token, values: CifValue[]) => {
    const block = blocks.at(-1);
    if (!block) throw problem(file, tag.line, "data_ before the first tag", tag.text);
    const name = tag.text.toLowerCase();
    if (block.values.has(name)) throw problem(file, tag.line, "every tag once in a block", tag.text);
    block.values.set(name, values);
  };
  while (at < tokens.length) {
    const token = tokens[at++];
    if (isTag(token)) {
      const value = tokens[at++];
      if (!value || isTag(value) || isKeyword(value))
        throw problem(file, token.line, `a value of ${token.text}`, value?.text ?? "the end of the file");
      put(token, [value]);
    } else if (/^data_/i.test(token.text) && !token.quoted)
      blocks.push({ name: token.text.slice(5), line: token.line, values: new Map() });
    else if (/^loop_$/i.test(token.text) && !token.quoted) {
      const tags: Token[] = [];
      while (at < tokens.length && isTag(tokens[at])) tags.push(tokens[at++]);
      const columns = tags.map((): CifValue[] => []);
      let count = 0;
      for (; at < tokens.length && !isTag(tokens[at]) && !isKeyword(tokens[at]); at++)
        columns[count++ % tags.length]?.push(tokens[at]);
      if (tags.length === 0 || count % tags.length !== 0)
        throw problem(
          file,
          tokens[at - 1].line,
          `rows of ${tags.length} values in the loop that begins in line ${token.line}`,
          `${count} values`,
        );
      tags.forEach((tag, k) => put(tag, columns[k]));
    } else throw problem(file, token.line, "a tag, loop_ or data_", `"${token.text.slice(0, 40)}"`);
  }
  return blocks;
}
