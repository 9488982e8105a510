import { invalid } from "../error.ts";

/** The method of this name in a table; an unknown name is an InputError that lists the known ones. */
export function pick<Method>(table: Readonly<Record<string, Method>>, name: string, place: string): Method {
  if (Object.hasOwn(table, name)) return table[name];
  throw invalid(place, `one of ${Object.keys(table).join(", ")}`, name);
}
