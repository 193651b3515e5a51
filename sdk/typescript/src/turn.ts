import { FlapjackError } from "./errors.js";
import { EventParser, type FlapjackEvent, type RawEvent, type ToolCall } from "./events.js";
import { newKey, type Call, type Transport } from "./transport.js";
import type { MessagePage, MessageRequest, Thread, ToolResultRequest } from "./types.js";

/** Runs a tool of this client. What it gives is the result for the model, a string or any JSON; what it throws is told to the model as a failure. */
export type ToolHandler = (call: ToolCall & { input: unknown }, signal?: AbortSignal) => unknown;

export interface TurnOptions {
  /** Runs client-side tools. Without it the events end with `requires_action`, and the results go into a message of their own, as `toolResults`. */
  onToolCall?: ToolHandler;
  /** Ends the turn, as leaving the loop early does. */
  signal?: AbortSignal;
}

const stopWithinMs = 5_000;
const terminal = new Set(["done", "error", "requires_action"]);
type Opening = { call: Call; isAttachment: boolean };

/**
 * The events of one turn, over broken connections and dead servers:
 *
 * 1. Open the stream, again under the same idempotency key until it answers, so that a message is never sent twice.
 * 2. Pass its events on. When it breaks, come back with the id of the last event: nothing is missing, nothing comes twice.
 * 3. When the server does not know that stream any more, ask for the turn from its beginning and say so with `restart`.
 * 4. After `requires_action`, run the tools, bring the results and begin at 1.
 */
export class TurnReader {
  readonly #transport: Transport;
  readonly #path: string;
  readonly #options: TurnOptions;
  readonly #results = new Map<string, ToolResultRequest>();
  #turnId = "";
  #lastId = "";
  /** All text of the turn, and as much of it as earlier streams had. */
  #text = "";
  #settled = "";
  #mayRepeatSettled = false;
  /** Whether the server goes on with the turn without a listener, and after its own end. */
  #survives = true;
  #isOver = false;
  #isWaiting = false;

  constructor(transport: Transport, threadId: string, options: TurnOptions) {
    [this.#transport, this.#path, this.#options] = [transport, `/api/threads/${encodeURIComponent(threadId)}`, options];
  }

  /** Sends a message and reads its turn. */
  async *send(message: MessageRequest): AsyncGenerator<FlapjackEvent, void, undefined> {
    // The server would stop a turn whose connection broke; this client comes back to it, and stops it itself when its user leaves.
    const onDisconnect = message.onDisconnect ?? (message.toolResults ? undefined : "continue");
    this.#survives = onDisconnect !== "cancel";
    try {
      yield* this.#rounds(this.#post({ ...message, onDisconnect, stream: true }));
    } finally {
      if (!this.#isOver && message.onDisconnect !== "continue") await this.#stop();
    }
  }

  /** Reads the running turn from its beginning, or a turn from behind an event. Leaving does not stop it. */
  async *attach(lastEventId: string): AsyncGenerator<FlapjackEvent, void, undefined> {
    this.#lastId = lastEventId;
    yield* this.#rounds({ call: { method: "GET", path: `${this.#path}/stream` }, isAttachment: true });
  }

  #post(message: MessageRequest): Opening {
    return { call: { method: "POST", path: `${this.#path}/messages`, json: message, idempotencyKey: newKey() }, isAttachment: false };
  }

  async *#rounds(opening: Opening): AsyncGenerator<FlapjackEvent, void, undefined> {
    for (;;) {
      const last = yield* this.#stream(opening);
      this.#isWaiting = last?.type === "requires_action";
      if (last?.type !== "requires_action" || !this.#options.onToolCall) {
        this.#isOver = true;
        return;
      }
      opening = this.#post({ toolResults: await this.#run(last.data.toolCalls, this.#options.onToolCall) });
      [this.#lastId, this.#settled] = ["", this.#text];
    }
  }

  /** One stream to its last event, however often it breaks; undefined when there was nothing to attach to. */
  async *#stream(opening: Opening): AsyncGenerator<FlapjackEvent, FlapjackEvent | undefined, undefined> {
    const { signal } = this.#options;
    let hasBegun = false;
    for (let [failures, shutdowns] = [0, 0]; ;) {
      try {
        const response = await this.#open(opening);
        if (response === null) {
          if (!hasBegun) return undefined;
          return yield* this.#fromMessages();
        }
        // Opened from its beginning although some of it was passed on.
        if (hasBegun && this.#lastId === "") yield this.#restart();
        for await (const event of this.#read(response)) {
          if (hasBegun && opening.isAttachment && turnOf(event) !== this.#turnId) return yield* this.#fromMessages();
          if (this.#survives && event.type === "error" && event.data.code === "SERVER_SHUTDOWN") throw new FlapjackError(event.data.code, event.data.detail, 503);
          [failures, hasBegun] = [0, true];
          const kept = this.#keep(event);
          if (kept) yield kept;
          if (terminal.has(event.type)) return event;
        }
        throw FlapjackError.noConnection("the stream ended before the turn");
      } catch (fault) {
        failures++;
        if (fault instanceof FlapjackError && fault.code === "SERVER_SHUTDOWN") {
          // What this stream sent before is no progress when it is told again.
          [this.#lastId, hasBegun, failures] = ["", true, Math.max(failures, ++shutdowns)];
        }
        await this.#transport.pause(failures, fault, signal);
      }
    }
  }

  /** Null when the server has nothing to attach to. */
  async #open(opening: Opening): Promise<Response | null> {
    const { signal } = this.#options;
    if (this.#lastId !== "") {
      try {
        return await this.#transport.send({ method: "GET", path: `${this.#path}/stream`, headers: { "Last-Event-ID": this.#lastId }, signal });
      } catch (fault) {
        // Before any event, it was the caller who named one that the server does not know.
        if (!(fault instanceof FlapjackError) || fault.status !== 404 || this.#turnId === "") throw fault;
        this.#lastId = "";
      }
    }
    const response = await this.#transport.send({ ...opening.call, signal });
    return response.status === 204 ? null : response;
  }

  async *#read(response: Response): AsyncGenerator<FlapjackEvent, void, undefined> {
    const { signal } = this.#options;
    const reader = response.body?.getReader();
    if (!reader) throw FlapjackError.noConnection("the answer has no body");
    const parser = new EventParser();
    try {
      for (;;) {
        const { done, value } = await this.#inTime(reader.read());
        signal?.throwIfAborted();
        if (done) return;
        for (const event of parser.push(value)) yield parse(event);
      }
    } catch (fault) {
      signal?.throwIfAborted();
      throw fault instanceof FlapjackError ? fault : FlapjackError.noConnection(fault);
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(FlapjackError.noConnection("the stream fell silent")), this.#transport.idleTimeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Notes how far the turn is. Undefined when nothing of the event is new. */
  #keep(event: FlapjackEvent): FlapjackEvent | undefined {
    [this.#lastId, this.#turnId] = [event.id, turnOf(event)];
    if (event.type === "token") {
      let { delta } = event.data;
      // A stream made from what was stored begins with all text of the turn, also that of earlier streams.
      if (this.#mayRepeatSettled && this.#settled !== "" && delta.startsWith(this.#settled)) delta = delta.slice(this.#settled.length);
      this.#mayRepeatSettled = false;
      this.#text += delta;
      return delta === "" ? undefined : { ...event, data: { ...event.data, delta } };
    }
    return event;
  }

  #restart(): FlapjackEvent {
    [this.#text, this.#mayRepeatSettled] = [this.#settled, true];
    return { type: "restart", id: "", data: { content: this.#settled } };
  }

  /** The end of a turn that can no longer be attached to, from the messages of the thread. */
  async *#fromMessages(): AsyncGenerator<FlapjackEvent, FlapjackEvent, undefined> {
    const { signal } = this.#options;
    const turnId = this.#turnId;
    const { messages } = await this.#transport.json<MessagePage>({ method: "GET", path: `${this.#path}/messages`, query: { order: "desc", limit: 200 }, signal });
    const answers = messages.filter(message => message.role === "assistant" && message.turn_id === turnId).reverse();
    const last = answers.at(-1);
    if (!last) throw new FlapjackError("STREAM_LOST", `the stream of turn ${turnId} is gone and the thread has no answer of it`, 0);
    const content = answers.map(message => message.content).filter(text => text !== "").join("\n\n");
    this.#settled = "";
    yield this.#restart();
    this.#text = content;
    yield { type: "token", id: "", data: { delta: content } };
    const end: FlapjackEvent = last.error
      ? { type: "error", id: "", data: { code: last.error } }
      : { type: "done", id: "", data: { ok: true, messageId: last.id, content, ...(last.stopped ? { stopped: true } : {}), turnId } };
    yield end;
    return end;
  }

  async #run(calls: ToolCall[], handler: ToolHandler): Promise<ToolResultRequest[]> {
    const { signal } = this.#options;
    // A restarted stream asks again for what was run already.
    const results = await Promise.all(calls.map(async call => this.#results.get(call.id) ?? await answer(call, handler, signal)));
    signal?.throwIfAborted();
    for (const result of results) this.#results.set(result.toolCallId as string, result);
    return results;
  }

  /** Stops the turn, unless the thread has gone on to another one. */
  async #stop(): Promise<void> {
    if (this.#turnId === "") return;
    const signal = AbortSignal.timeout(stopWithinMs);
    try {
      const response = await this.#transport.send({ method: "GET", path: this.#path, signal });
      const thread = await response.json() as Thread;
      const isOurs = thread.active_turn_id === this.#turnId || (this.#isWaiting && thread.awaiting_action);
      if (isOurs) await (await this.#transport.send({ method: "POST", path: `${this.#path}/stop`, signal })).text();
    } catch {
      // Whoever leaves early is not told that the server could not be reached; the turn then runs to its end.
    }
  }
}

function parse({ id, type, data }: RawEvent): FlapjackEvent {
  return { id, type, data: JSON.parse(data) } as FlapjackEvent;
}

/** The turn that an event belongs to, by its id. */
function turnOf(event: FlapjackEvent): string {
  return event.id.slice(0, event.id.lastIndexOf(":"));
}

async function answer(call: ToolCall, handler: ToolHandler, signal?: AbortSignal): Promise<ToolResultRequest> {
  try {
    const input: unknown = call.arguments.trim() === "" ? {} : JSON.parse(call.arguments);
    return { toolCallId: call.id, result: (await handler({ ...call, input }, signal)) ?? null };
  } catch (fault) {
    return { toolCallId: call.id, result: fault instanceof Error ? fault.message : String(fault), isError: true };
  }
}
