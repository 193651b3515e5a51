export { FlapjackClient, type Message, type Page, type Upload } from "./client.js";
export { FlapjackError, type FieldError } from "./errors.js";
export type { EventData, EventType, FlapjackEvent, ToolCall } from "./events.js";
export type { ClientOptions } from "./transport.js";
export type { ToolHandler, TurnOptions } from "./turn.js";
export type * from "./types.js";
