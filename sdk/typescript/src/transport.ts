import { FlapjackError } from "./errors.js";

/** Where the server is and how to call it. */
export interface ClientOptions {
  /** The server's address, for example `http://localhost:3000`. */
  baseUrl: string;
  /** An API key or access token, or a function that gives a current one. */
  apiKey: string | (() => string | Promise<string>);
  /** The organisation to act in, for users of several. */
  orgId?: string;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** How often in a row something may fail before the client gives up; default 10, which is about a minute. */
  maxRetries?: number;
  /** First pause before a retry in milliseconds; default 250. It doubles each time, up to 8 seconds. */
  retryDelayMs?: number;
  /** A stream that is silent for so long counts as broken; default 45,000 ms. The server sends a comment every 15 seconds. */
  idleTimeoutMs?: number;
}

/** One request. A string is sent as it is, bytes with their own content type, anything else as JSON. */
export interface Call {
  method: string;
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  json?: unknown;
  bytes?: { body: ArrayBuffer; type: string };
  headers?: Record<string, string>;
  /** Makes a repeated POST harmless. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

const longestPause = 8_000;

/** Sends requests, again where that is harmless and may help. */
export class Transport {
  readonly maxRetries: number;
  readonly idleTimeoutMs: number;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.maxRetries = options.maxRetries ?? 10;
    this.idleTimeoutMs = options.idleTimeoutMs ?? 45_000;
  }

  /** The JSON of the answer. */
  async json<T>(call: Call): Promise<T> {
    return this.#repeating(call, async response => await response.json() as T);
  }

  /** The bytes of the answer. */
  async blob(call: Call): Promise<Blob> {
    return this.#repeating(call, response => response.blob());
  }

  /** One attempt. Throws `FlapjackError` for every answer that is no success. */
  async send(call: Call): Promise<Response> {
    const { baseUrl, apiKey, orgId, fetch: given } = this.#options;
    const url = new URL(baseUrl.replace(/\/+$/, "") + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value));
    const headers: Record<string, string> = { Authorization: `Bearer ${typeof apiKey === "string" ? apiKey : await apiKey()}`, ...call.headers };
    if (orgId) headers["X-Flapjack-Org"] = orgId;
    if (call.idempotencyKey) headers["Idempotency-Key"] = call.idempotencyKey;
    if (call.bytes) headers["Content-Type"] = call.bytes.type;
    else if (call.json !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await (given ?? fetch)(url, { method: call.method, headers, body: call.bytes?.body ?? (call.json === undefined ? null : JSON.stringify(call.json)), signal: call.signal ?? null });
    } catch (fault) {
      call.signal?.throwIfAborted();
      throw FlapjackError.noConnection(fault);
    }
    if (!response.ok) throw await FlapjackError.from(response);
    return response;
  }

  /** Waits before attempt number `failures` + 1; throws what went wrong when that is too often or does not get better. */
  async pause(failures: number, fault: unknown, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!(fault instanceof FlapjackError) || !fault.isTransient || failures > this.maxRetries) throw fault;
    const backOff = Math.min(longestPause, (this.#options.retryDelayMs ?? 250) * 2 ** (failures - 1));
    // Spread, so that clients that were cut together do not come back together.
    const wait = Math.max((fault.retryAfterSeconds ?? 0) * 1_000, backOff * (0.5 + Math.random() / 2));
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => (clearTimeout(timer), reject(signal?.reason));
      const timer = setTimeout(() => (signal?.removeEventListener("abort", abort), resolve()), wait);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  async #repeating<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(call, read);
      } catch (fault) {
        const isLost = fault instanceof FlapjackError && fault.code === "CONNECTION_FAILED";
        // Nobody knows whether a request without answer was carried out.
        const isHarmless = call.method === "GET" || call.method === "PUT" || call.idempotencyKey !== undefined;
        if (isLost && !isHarmless) throw fault;
        await this.pause(failures, fault, call.signal);
      }
    }
  }

  async #once<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    const response = await this.send(call);
    try {
      return await read(response);
    } catch (fault) {
      call.signal?.throwIfAborted();
      if (fault instanceof SyntaxError) throw new FlapjackError("BAD_ANSWER", "the answer is no JSON; is this the address of a Flapjack server?", response.status, [], undefined, undefined, fault);
      throw FlapjackError.noConnection(fault);
    }
  }
}

/** A key that no other request has. */
export function newKey(): string {
  const bytes = new Uint8Array(16);
  // Missing in Node 18 without a flag; a key has to be unlikely, not secret.
  if (globalThis.crypto?.getRandomValues) globalThis.crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.floor(Math.random() * 256)));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}
