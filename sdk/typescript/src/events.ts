import type { MessageUsage } from "./types.js";

/** A call of a tool. `arguments` is JSON text, as the model wrote it. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** The data of each event by its type. Fields this client does not know are kept. */
export interface EventData {
  /** The stream begins. */
  meta: { startedAt: string; turnId: string; threadId: string; userMessageId: string | null; model: string };
  /** A piece of the answer. */
  token: { delta: string };
  /** The model calls a tool that the server runs. */
  tool_call: { tool: ToolCall };
  tool_executing: { tool_name: string; tool_call_id: string };
  tool_result: { tool_name: string; tool_call_id: string; result: unknown; is_error: boolean; truncated: boolean; duration_ms: number };
  custom: { kind: string; payload: unknown; tool_call_id?: string };
  client_event: { kind: string; payload: unknown };
  auth_challenge: { toolName: string; challenge: { provider: string; redirectUrl: string; description?: string }; toolCallId: string };
  profile_switch_proposal: { target: string; reason: string };
  /** The model calls tools of this client. With `onToolCall` they are answered and the stream goes on. */
  requires_action: { toolCalls: ToolCall[]; expiresAt: string };
  /**
   * Made by this client: the server could not go on where the stream broke. The text so far is `content`, whatever came after it is void and comes again;
   * so do events of tools since `meta` or `requires_action`, whichever was last.
   */
  restart: { content: string };
  /** The turn ended well. `content` is all of its text; `stopped` when somebody stopped it; `output` the value of an answer with a `responseFormat`. */
  done: { ok: boolean; messageId?: string; content: string; stopped?: boolean; usage?: MessageUsage; turnId: string; finishReason?: string; output?: unknown };
  /** The turn failed. The text so far is kept in the thread. */
  error: { code: string; detail?: string; usage?: MessageUsage };
}

/** The types of events. Types that a newer server adds are passed on as they come. */
export type EventType = keyof EventData;

/** An event of a turn: its type, its id (`<turn>:<number>`, empty for what this client made) and its data. */
export type FlapjackEvent = { [T in EventType]: { type: T; id: string; data: EventData[T] } }[EventType];

/** An event as it stands in the stream. */
export interface RawEvent {
  id: string;
  type: string;
  data: string;
}

/** Cuts a stream of bytes into events. An event that was not finished when the stream ended is dropped. */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #id = "";
  #type = "";
  #data: string[] = [];

  *push(bytes: Uint8Array): Generator<RawEvent> {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end).replace(/\r$/, "");
      this.#rest = this.#rest.slice(end + 1);
      if (line === "") {
        if (this.#data.length > 0) yield { id: this.#id, type: this.#type || "message", data: this.#data.join("\n") };
        [this.#id, this.#type, this.#data] = ["", "", []];
      } else this.#take(line);
    }
  }

  #take(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") this.#id = value;
    else if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
  }
}
