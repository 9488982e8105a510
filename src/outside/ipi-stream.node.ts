import { createConnection, createServer } from "node:net";
import type { NetConnectOpts, Server, Socket } from "node:net";
import { PeerError, invalid } from "../error.ts";

/** Where a peer is: a port of a host, or a UNIX socket by its path. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** Reads "localhost:31415", or "name" and "/tmp/ipi_name" as i-PI names UNIX sockets. */
export function readAddress(text: string, place: string): Address {
  const match = /^(.+):(\d+)$/.exec(text);
  if (match) {
    const port = Number(match[2]);
    if (port < 1 || port > 65535) throw invalid(place, "a port 1 … 65535", match[2]);
    return { host: match[1], port };
  }
  if (text === "") throw invalid(place, "host:port, or the name of a UNIX socket", "nothing");
  return { path: text.startsWith("/") ? text : `/tmp/ipi_${text}` };
}

/** The address in words. */
export const describeAddress = (a: Address): string => ("path" in a ? a.path : `${a.host}:${a.port}`);

const connectOptions = (a: Address): NetConnectOpts => ("path" in a ? { path: a.path } : { ...a });

/** A connection from which whole pieces are read, each within a time limit. */
export class Stream {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const stop = (error: Error) => {
      this.#ended ??= error;
      this.#wake?.();
    };
    socket.on("data", (data: Buffer) => {
      this.#chunks.push(data);
      this.#length += data.length;
      this.#wake?.();
    });
    socket.on("error", (error) => stop(new PeerError(`the connection broke: ${error.message}`)));
    socket.on("close", () => stop(new PeerError("the peer closed the connection")));
  }

  /** The peer has closed the connection, and everything that it sent has been read. */
  get finished(): boolean {
    return this.#ended !== undefined && this.#length === 0;
  }

  /** Exactly `count` bytes; a PeerError when the peer ends before or takes longer than `seconds`. */
  async read(count: number, seconds: number): Promise<Uint8Array> {
    const deadline = Date.now() + 1000 * seconds;
    while (this.#length < count) {
      if (this.#ended) throw this.#ended;
      const left = deadline - Date.now();
      if (left <= 0) throw new PeerError(`the peer said nothing for ${seconds} s`);
      // oxlint-disable-next-line no-await-in-loop -- bytes come one after another
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(count)];
    this.#length -= count;
    // A copy, so that it starts at a byte that typed views can stand on.
    return Uint8Array.from(all.subarray(0, count));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      this.#socket.write(bytes, (error) => (error ? reject(new PeerError(error.message)) : resolve()));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Connects, trying again until the server is there or `seconds` are over. */
export async function connect(address: Address, seconds: number): Promise<Stream> {
  const deadline = Date.now() + 1000 * seconds;
  for (;;) {
    const tried = await new Promise<Socket | Error>((resolve) => {
      const socket = createConnection(connectOptions(address));
      socket.once("connect", () => resolve(socket));
      socket.once("error", resolve);
    });
    if (!(tried instanceof Error)) return new Stream(tried);
    if (Date.now() >= deadline)
      throw new PeerError(`nobody listens at ${describeAddress(address)}: ${tried.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Listens until one client has come. */
export function accept(address: Address, seconds: number): Promise<{ stream: Stream; server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    const timer = setTimeout(() => {
      server.close();
      reject(new PeerError(`no client came to ${describeAddress(address)} in ${seconds} s`));
    }, 1000 * seconds);
    server.once("error", (error) => {
      clearTimeout(timer);
      reject(new PeerError(`cannot listen at ${describeAddress(address)}: ${error.message}`));
    });
    server.once("connection", (socket) => {
      clearTimeout(timer);
      resolve({ stream: new Stream(socket), server });
    });
    if ("path" in address) server.listen(address.path);
    else server.listen(address.port, address.host);
  });
}
