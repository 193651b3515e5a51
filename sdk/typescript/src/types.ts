// Made from openapi/v1.json by scripts/types.js; not to be edited.

/** One todo to add, or several in `todos`. */
export interface AddTodosRequest {
  /** Several at once, added one after another; the answer is then an array. */
  todos?: Array<NewTodoRequest> | null;
  /** 1 to 2,000 characters. Required. */
  content?: string | null;
  /** UUID of the todo it is part of; null = none. */
  parentId?: string | null;
  /** Place among its siblings, from 0; at the end by default. */
  position?: number | null;
  /** `pending` (default), `in_progress`, `done` or `skipped`. */
  status?: string | null;
  /** UUIDs of todos it waits for. */
  blockedBy?: Array<string> | null;
}

/** Whether the agent has a computer. */
export interface AgentComputer {
  /** False until computers exist on this server. */
  enabled: boolean;
}

/** A database to take from an agent. */
export interface AgentIntegrationRemovalRequest {
  /** Id of the integration; required here or in the query. */
  integrationId?: string | null;
}

/** A database to give to an agent. */
export interface AgentIntegrationRequest {
  /** Id of the integration; required. */
  integrationId?: string | null;
  /** Tables that are offered, as `table` of the first schema or `schema.table`; absent or null = all. At most 500. Names that are not in the cached schema are kept. */
  allowedTables?: Array<string> | null;
}

/** A database that an agent was given. */
export interface AgentIntegration {
  /** Id of the attachment. */
  id: string;
  /** The agent. */
  agent_id: string;
  /** The integration. */
  integration_id: string;
  /** Tables that are offered; null = all. */
  allowed_tables: Array<string> | null;
  /** UTC. */
  created_at: string;
  /** What it is. */
  integration: IntegrationSummary;
}

/** A published chat of the agent. */
export interface AgentPublishedChat {
  /** Last part of its address. */
  slug: string;
  /** False once unpublished. */
  is_active: boolean;
}

/** Creates an agent, or changes the fields that are sent. `null` clears a nullable field and restores the default of any other. */
export interface AgentRequest {
  /** 1 to 200 characters. Required on creation. */
  name?: string | null;
  /** At most 2,000 characters. */
  description?: string | null;
  /** The system prompt, at most 200,000 characters. */
  stablePreamble?: string | null;
  /** A model id that resolves; see `GET /api/models`. */
  defaultModel?: string | null;
  /** 0 to 1; null = not sent to the provider. */
  temperature?: number | null;
  /** Profiles by name, at most 32; each has `tools` (names or globs) and may have `label`, `description`, `systemPromptOverlay`, `switchable`. */
  toolProfiles?: unknown;
  /** A key of `toolProfiles`. */
  defaultProfile?: string | null;
  /** UUID of a project. */
  projectId?: string | null;
  /** `tensorlake` or `modal`; stored and returned, no effect here. */
  runtimeProvider?: string | null;
  /** Mirror of the scheduled-tasks config. */
  scheduledTasksEnabled?: boolean | null;
  /** Server-side tool calls per turn, 1 to 100, default 10. */
  maxToolCalls?: number | null;
  /** 1 to the model's maximum; null = the provider's default. */
  maxOutputTokens?: number | null;
  /** JSON object of at most 16 KB. */
  metadata?: Record<string, unknown>;
  /** Organisation for callers of several; ignored on change. */
  orgId?: string | null;
}

/** An agent. Lists leave `stable_preamble` out. */
export interface Agent {
  /** UUID. */
  id: string;
  /** Owning organisation. */
  org_id: string;
  /** Name shown to people. */
  name: string;
  /** What the agent is for. */
  description: string | null;
  /** The system prompt; absent in lists. */
  stable_preamble: string | null;
  /** Model of turns that name none. */
  default_model: string;
  /** 0 to 1; null = not sent to the provider. */
  temperature: number | null;
  /** Profiles as given. */
  tool_profiles: unknown;
  /** Profile of threads that name none. */
  default_profile: string | null;
  /** Mirror of the scheduled-tasks config. */
  scheduled_tasks_enabled: boolean;
  /** Stored and returned, no effect here. */
  runtime_provider: string | null;
  /** Computer config; `{"enabled":false}` when there is none. */
  computer: AgentComputer;
  /** Published chats. */
  published_chats: Array<AgentPublishedChat>;
  /** Project the agent is shown under. */
  project_id: string | null;
  /** Server-side tool calls per turn. */
  max_tool_calls: number;
  /** Null = the provider's default. */
  max_output_tokens: number | null;
  /** JSON object. */
  metadata: Record<string, unknown>;
  /** Time of creation, UTC. */
  created_at: string;
  /** Time of the last change, UTC. */
  updated_at: string;
}

/** Names a tool to attach or detach. */
export interface AgentToolRequest {
  /** UUID of the tool. Required. */
  toolId?: string | null;
}

/** A tool an agent has. */
export interface AgentTool {
  /** UUID of the attachment. */
  id: string;
  /** The agent. */
  agent_id: string;
  /** The tool. */
  tool_id: string;
  /** When it was attached, UTC. */
  created_at: string;
  /** What the tool is. */
  tool: ToolSummary;
}

/** An image or a file of a message: exactly one of `fileId`, `data` and `url`. */
export interface AttachmentRequest {
  /** `image` (png, jpeg, webp, gif) or `file` (pdf, docx, html, csv, json, markdown, plain text). Required. */
  type?: string | null;
  /** Name for people and the model, at most 200 characters. Without it the file's own name or the last part of the address. */
  name?: string | null;
  /** What the sender takes it for. The content decides; among texts, which look alike, the name and then this does. */
  mediaType?: string | null;
  /** A file that was uploaded before. */
  fileId?: string | null;
  /** The content in base64; at most 20 MB of content, and 30 MB for the whole message. */
  data?: string | null;
  /** An `http` or `https` address on the public internet that the server fetches now, at most 20 MB. */
  url?: string | null;
}

/** A picture to send, as the parts of a form (`multipart/form-data`). */
export interface AvatarRequest {
  /** A png, jpeg, webp or gif by its content, at most 2 MB and 2,048 pixels a side. Required. Stored and shown as sent, with whatever else is in it. */
  file?: string | null;
}

/** Where a picture is now. */
export interface Avatar {
  /** For everybody. It never shows another picture; one that was replaced is 404. */
  avatar_url: string;
}

/** How a channel behaves. Only fields of its kind are there. */
export interface ChannelConfig {
  /** Hours of silence after which a contact gets a new thread; 0 = never. */
  session_hours: number;
  /** External ids that may talk to the agent; empty = everybody. */
  allowed_contacts: Array<string>;
  /** Sent to a contact before the first answer. */
  greeting: string | null;
  /** Longest message in characters. */
  max_message_chars: number;
  /** Of `telegram`. */
  reply_in_groups?: string | null;
  /** Of `slack`. */
  respond_to?: Array<string> | null;
  /** Of `slack`. */
  thread_replies?: boolean | null;
  /** Of `webhook`. */
  outbound_url?: string | null;
  /** Of `webhook`. */
  id_path?: string | null;
  /** Of `webhook`. */
  text_path?: string | null;
  /** Of `webhook`; absent when there is none. */
  name_path?: string | null;
}

/** A channel to create or the fields to change. */
export interface ChannelRequest {
  /** `telegram`, `slack`, `whatsapp` or `webhook`. Required when it is created, ignored afterwards. */
  kind?: string | null;
  /** 1 to 200 characters; default the kind. */
  name?: string | null;
  /** How the channel behaves. Fields that are not sent stay as they are. */
  config?: { sessionHours?: number | null; allowedContacts?: Array<string> | null; greeting?: string | null; maxMessageChars?: number | null; replyInGroups?: string | null; respondTo?: Array<string> | null; threadReplies?: boolean | null; outboundUrl?: string | null; idPath?: string | null; textPath?: string | null; namePath?: string | null } | null;
  /** What the kind needs; all of it, also when one value changes. Never returned. */
  credentials?: { botToken?: string | null; signingSecret?: string | null; accessToken?: string | null; phoneNumberId?: string | null; appSecret?: string | null; verifyToken?: string | null; secret?: string | null } | null;
  /** Default true. A disabled channel takes messages of its provider and forgets them. */
  enabled?: boolean | null;
}

/** A way by which people outside talk to an agent. */
export interface Channel {
  /** Id. */
  id: string;
  /** The agent that answers. */
  agent_id: string;
  /** `telegram`, `slack`, `whatsapp` or `webhook`. */
  kind: string;
  /** Name for people. */
  name: string;
  /** False: messages are taken and forgotten. */
  enabled: boolean;
  /** `active`, `disabled`, `pending` (the provider has not called yet) or `error`. */
  status: string;
  /** Always true. */
  has_credentials: boolean;
  /** How it behaves. */
  config: ChannelConfig;
  /** Where the provider sends messages. Whoever knows it still needs the provider's signature. */
  webhook_url: string;
  /** Code and reason of what last went wrong for good; null when nothing did since the last delivery. */
  last_error: string | null;
  /** When the last message came, UTC; null before the first. */
  last_inbound_at: string | null;
  /** UTC. */
  created_at: string;
  /** UTC. */
  updated_at: string;
}

/** How a test of credentials went. */
export interface ChannelTest {
  /** Whether the provider took them. */
  ok: boolean;
  /** Whom they belong to, as the provider says it. */
  detail?: string | null;
  /** A code such as `AUTH_FAILED`, `UNREACHABLE`, `TIMEOUT`, `BLOCKED_ADDRESS`, `RATE_LIMITED` or `PROVIDER_REFUSED`, and the reason. */
  error?: string | null;
}

/** A tool the client runs. */
export interface ClientToolRequest {
  /** `^[A-Za-z0-9_-]{1,64}$` without `__`. */
  name?: string | null;
  /** At most 4,000 characters; tells the model when to use it. */
  description?: string | null;
  /** JSON Schema of the arguments, at most 64 KB. */
  parameters?: unknown;
}

/** A column. */
export interface Column {
  /** Its name. */
  name: string;
  /** Its type as the database spells it. */
  type: string;
  /** May hold null. */
  nullable: boolean;
  /** Is part of the primary key. */
  primary_key: boolean;
  /** Comment in the database; null without one. */
  comment: string | null;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface CompactionRequest {
  /** False (default): conversations are never summarised. */
  enabled?: boolean | null;
  /** Tokens of a prompt above which Anthropic's API summarises it, at least 50,000; default 150,000. */
  anthropicTriggerTokens?: number | null;
  /** Prompt for that summary instead of the API's own, at most 20,000 characters. */
  anthropicInstructions?: string | null;
  /** Whether the turn ends when Anthropic's API has summarised, so that the next message can add to the summary; default false. */
  anthropicPauseAfter?: boolean | null;
  /** Tokens of a model call above which a turn ends with a summary, for models without compaction of their own; at least 1,000, default 100,000. */
  openaiCompactThreshold?: number | null;
}

/** When the beginning of an agent's conversations is replaced by a summary. Fields come in both casings. */
export interface Compaction {
  /** False: conversations are never summarised. */
  enabled: boolean;
  /** Tokens of a prompt above which Anthropic's API summarises it. */
  anthropic_trigger_tokens: number;
  /** Prompt for that summary; null = the API's own. */
  anthropic_instructions: string | null;
  /** Whether the turn ends when Anthropic's API has summarised. */
  anthropic_pause_after: boolean;
  /** Tokens of a model call above which a turn ends with a summary, for other models. */
  openai_compact_threshold: number;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
  /** The same as `anthropic_trigger_tokens`. */
  anthropicTriggerTokens?: number;
  /** The same as `anthropic_instructions`. */
  anthropicInstructions?: string | null;
  /** The same as `anthropic_pause_after`. */
  anthropicPauseAfter?: boolean;
  /** The same as `openai_compact_threshold`. */
  openaiCompactThreshold?: number;
}

/** What to change of a contact. */
export interface ContactRequest {
  /** Messages of blocked contacts are ignored; they are not told. */
  blocked?: boolean | null;
  /** 1 to 200 characters; null = the name the provider gives with the next message. */
  displayName?: string | null;
}

/** Somebody who wrote to a channel, or a group. */
export interface Contact {
  /** Id. */
  id: string;
  /** The channel. */
  channel_id: string;
  /** The provider's id of the person or group. */
  external_id: string;
  /** Null when the provider gives none. */
  display_name: string | null;
  /** The thread they are in; null before the first message, after `/reset` and when it was deleted. */
  thread_id: string | null;
  /** Whether their messages are ignored. */
  blocked: boolean;
  /** Messages that reached the agent. */
  message_count: number;
  /** UTC. */
  first_seen_at: string | null;
  /** UTC. */
  last_seen_at: string | null;
}

/** A memory to store. */
export interface CreateMemoryRequest {
  /** 1 to 2,000 characters. Required. */
  content?: string | null;
  /** `agent` (default), `thread` or `resource`. */
  scope?: string | null;
  /** UUID of the thread, or `type:id` of the resource. Required for those. */
  scopeId?: string | null;
  /** Object, at most 16 KB. */
  metadata?: unknown;
}

/** A plan to make. */
export interface CreatePlanRequest {
  /** UUID of the thread it belongs to. Required. */
  threadId?: string | null;
  /** 1 to 300 characters. Required. */
  title?: string | null;
  /** At most 10,000 characters. */
  description?: string | null;
  /** `draft` or `approved`; by default what the agent's plan config says. */
  status?: string | null;
  /** What is to be done, nested up to four levels. */
  todos?: Array<SketchedTodoRequest> | null;
  /** UUID of the organisation, for users of several. */
  orgId?: string | null;
}

/** Opens a thread. */
export interface CreateThreadRequest {
  /** UUID of the agent. Required. */
  agentId?: string | null;
  /** At most 300 characters. */
  title?: string | null;
  /** `single` (default) or `multiplayer`; fixed. */
  kind?: string | null;
  /** At most 20 resources the conversation is about. */
  resourceBindings?: Array<ResourceBindingRequest> | null;
  /** A key of the agent's profiles. */
  activeProfile?: string | null;
  /** Text, or texts that are joined with a blank line; at most 50,000 characters. */
  systemPromptOverlay?: unknown;
  /** The application's own end user, at most 255 characters; API keys only. */
  userId?: string | null;
  /** JSON object of at most 16 KB. */
  metadata?: Record<string, unknown>;
  /** Organisation for callers of several. */
  orgId?: string | null;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface CredentialsRequest {
  /** Whether the resolver is asked before each model request; default false. */
  enabled?: boolean | null;
  /** http or https address that is asked. Required while enabled. */
  resolverUrl?: string | null;
  /** 100 to 30,000, default 5,000. */
  timeoutMs?: number | null;
  /** What happens without a key: `platform` (default) = the platform's key is used, `fail` = the turn ends with `MODEL_AUTH_FAILED`. */
  onFailure?: string | null;
  /** How long a key is remembered for one user, provider and model, 0 (default) to 3,600. In memory only. */
  cacheSeconds?: number | null;
  /** Signing secret of its own, 16 to 200 characters. Write-only; null = the organisation's. */
  secret?: string | null;
}

/** Whom an agent asks for its users' own keys of model providers. */
export interface Credentials {
  /** Whether the resolver is asked before each model request. */
  enabled: boolean;
  /** The address that is asked. */
  resolver_url: string | null;
  /** Time limit of a question. */
  timeout_ms: number;
  /** `platform` or `fail`. */
  on_failure: string;
  /** How long a key is remembered. */
  cache_seconds: number;
  /** Whether it has a signing secret of its own. */
  has_secret: boolean;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** Changes the fields that are sent; `null` restores a default. Lists are replaced as a whole. */
export interface DelegatedRequest {
  /** False (default): nothing is delegated. */
  enabled?: boolean | null;
  /** http or https address that receives the calls of `tools`. */
  endpointUrl?: string | null;
  /** Signs those calls, 16 to 200 characters; write-only. `null`: the organisation's secret signs. */
  secret?: string | null;
  /** Time for one call of the endpoint, 1,000 to 120,000; default 30,000. */
  timeoutMs?: number | null;
  /** Tools the endpoint runs, at most 64. */
  tools?: Array<DelegatedToolRequest> | null;
  /** Agents that can be asked, at most 20. 404 for an unknown one. */
  agents?: Array<SubAgentRequest> | null;
  /** How many delegations may nest, 1 to 5; default 2. */
  maxDepth?: number | null;
  /** Whether sub-agents are shown the last 20 messages of the thread; default false. */
  shareContext?: boolean | null;
}

/** To whom an agent hands work. */
export interface Delegated {
  /** False: nothing is delegated. */
  enabled: boolean;
  /** Receives the calls of `tools`. */
  endpoint_url: string | null;
  /** Whether a secret of its own signs them. */
  has_secret: boolean;
  /** Time for one call of the endpoint. */
  timeout_ms: number;
  /** Tools the endpoint runs. */
  tools: Array<DelegatedTool>;
  /** Agents that can be asked; deleted ones are left out. */
  agents: Array<SubAgent>;
  /** How many delegations may nest. */
  max_depth: number;
  /** Whether sub-agents are shown the last messages of the thread. */
  share_context: boolean;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** A tool that the application's endpoint runs. */
export interface DelegatedToolRequest {
  /** `^[A-Za-z0-9_-]{1,64}$` without `__`. */
  name?: string | null;
  /** At most 4,000 characters; tells the model when to use it. */
  description?: string | null;
  /** JSON Schema of the arguments, at most 64 KB. */
  parameters?: unknown;
}

/** A tool that the application's endpoint runs. */
export interface DelegatedTool {
  /** Its name. */
  name: string;
  /** When to use it. */
  description: string;
  /** JSON Schema of the arguments. */
  parameters: unknown;
}

/** Which memories to delete. */
export interface DeleteMemoriesRequest {
  /** `agent`, `thread` or `resource`. */
  scope?: string | null;
  /** Id of the scope. */
  scopeId?: string | null;
  /** True for all of the agent. */
  all?: boolean | null;
}

/** The answer to deletes and other commands without a result: `{"ok":true}`. */
export interface Deleted {
  /** Always true. */
  ok: boolean;
}

/** What a todo waits for. */
export interface DependencyRequest {
  /** UUID of a todo of the same plan. Required; `blockerId` and `dependsOn` are accepted. */
  dependsOnId?: string | null;
  /** The same. */
  blockerId?: string | null;
  /** The same. */
  dependsOn?: string | null;
}

/** A todo that waits for another. */
export interface Dependency {
  /** The one that waits. */
  todo_id: string;
  /** The one it waits for. */
  depends_on_id: string;
  /** UTC. */
  created_at: string;
}

/** A document that was taken in. */
export interface DocumentAdded {
  /** UUID. */
  id: string;
  /** Its title. */
  title: string;
  /** The pieces it was cut into; 0 while it is still read. */
  chunks: number;
  /** `ready`, `processing`, or `error` when it could not be embedded. */
  status: string;
}

/** A piece of a document. */
export interface DocumentChunk {
  /** UUID; a document that is read anew has new ones. */
  id: string;
  /** From 0, in reading order. */
  position: number;
  /** The text. */
  text: string;
  /** Of the text, estimated. */
  tokens: number;
  /** Of the section it begins in. */
  heading: string | null;
  /** The page it begins on. */
  page: number | null;
}

/** Changes the fields that are sent. */
export interface DocumentPatchRequest {
  /** 1 to 300 characters. */
  title?: string | null;
  /** Replaces the object; `null` empties it. */
  metadata?: unknown;
  /** Of a document that came from an address: fetched again after so many hours, 1 to 8,760; `null` = never. */
  refreshHours?: number | null;
}

/** A document. */
export interface Document {
  /** UUID. */
  id: string;
  /** For people and models. */
  title: string;
  /** Name of the file, or address. */
  source_ref: string;
  /** The pieces it was cut into. */
  chunk_count: number;
  /** When it came, UTC. */
  created_at: string;
  /** `org`, `agent` or `thread`. */
  scope_type: string;
  /** Of the organisation, agent or thread. */
  scope_id: string;
  /** `pending`, `processing`, `ready` or `error`. Only ready documents are found. */
  status: string;
  /** Why it cannot be read: `NO_TEXT`, `ENCRYPTED`, `CORRUPT`, `TOO_COMPLEX`, `EMBEDDING_FAILED`, `FETCH_FAILED` or `UNSUPPORTED`. A ready document may have `FETCH_FAILED`: then it could not be fetched again. */
  error: string | null;
  /** By its content. */
  media_type: string | null;
  /** Bytes. */
  size_bytes: number;
  /** Lower-case hex of its content's SHA-256. */
  sha256: string | null;
  /** Null for formats without pages. */
  page_count: number | null;
  /** As it was sent. */
  metadata: unknown;
  /** Hours after which it is fetched again; null = never. */
  refresh_hours: number | null;
  /** Null for what was not fetched. */
  last_fetched_at: string | null;
  /** Time of the last change, UTC. */
  updated_at: string;
}

/** A text to keep. */
export interface DocumentTextRequest {
  /** At most 5 MB. Required. */
  text?: string | null;
  /** 1 to 300 characters. Required. */
  title?: string | null;
  /** `org`, `agent` or `thread`. Required. */
  scopeType?: string | null;
  /** UUID of the agent or thread; for `org` that of the organisation. Required. */
  scopeId?: string | null;
  /** `txt` (default), `md` or `html`. */
  format?: string | null;
  /** Where it comes from; shown with what is found in it. */
  sourceRef?: string | null;
  /** An object of at most 16 KB; searches can filter by its top-level keys. */
  metadata?: unknown;
}

/** A document to send, as the parts of a form (`multipart/form-data`). */
export interface DocumentUploadRequest {
  /** The file, at most 25 MB: pdf, docx, html, markdown, csv, json or plain text. Required. */
  file?: string | null;
  /** 1 to 300 characters. Required. */
  title?: string | null;
  /** `org`, `agent` or `thread`. Required. */
  scopeType?: string | null;
  /** UUID of the agent or thread; for `org` that of the organisation. Required. */
  scopeId?: string | null;
  /** A JSON object as text, at most 16 KB. */
  metadata?: string | null;
  /** `true`: answer before the document is read. */
  async?: string | null;
}

/** An address to read. */
export interface DocumentUrlRequest {
  /** http or https. Required. */
  url?: string | null;
  /** `org`, `agent` or `thread`. Required. */
  scopeType?: string | null;
  /** UUID of the agent or thread; for `org` that of the organisation. Required. */
  scopeId?: string | null;
  /** 1 to 300 characters; the page's own title when absent. */
  title?: string | null;
  /** Fetched again after so many hours, 1 to 8,760; never when absent. */
  refreshHours?: number | null;
  /** An object of at most 16 KB; searches can filter by its top-level keys. */
  metadata?: unknown;
}

/** A judgement on a trace or one of its spans. `score`, `label` or both are required. */
export interface EvaluationRequest {
  /** What is judged, 1 to 200 characters. Required. */
  name?: string | null;
  /** A number. */
  score?: number | null;
  /** A word, at most 200 characters. */
  label?: string | null;
  /** The span; default the trace's root span. */
  spanId?: string | null;
  /** At most 4,000 characters. */
  comment?: string | null;
  /** `human` (default), `heuristic` or `llm_judge`; users are always human. */
  source?: string | null;
}

/** A judgement on a trace or one of its spans. */
export interface Evaluation {
  /** UUID. */
  id: string;
  /** The trace. */
  trace_id: string;
  /** The span. */
  span_id: string;
  /** `heuristic`, `llm_judge` or `human`. */
  source: string;
  /** What was judged. */
  name: string;
  /** A number. */
  score: number | null;
  /** A word. */
  label: string | null;
  /** Why. */
  comment: string | null;
  /** The account that judged; null for keys. */
  created_by: string | null;
  /** When. */
  created_at: string;
}

/** A stored file. */
export interface FileInfo {
  /** UUID. */
  id: string;
  /** As its sender named it, without folders. */
  name: string;
  /** By its content; among texts, which look alike, by its name. */
  media_type: string;
  /** Bytes. */
  size_bytes: number;
  /** Lower-case hex of its content's SHA-256. */
  sha256: string;
  /** The thread it was sent to; null when it was sent to none. */
  thread_id: string | null;
  /** `message`. */
  purpose: string;
  /** When it came, UTC. A file that no message uses goes a day later. */
  created_at: string;
}

/** Copies a thread up to a message. */
export interface ForkRequest {
  /** UUID of the last message to copy; without it, everything is copied. */
  messageId?: string | null;
  /** Title of the new thread, at most 300 characters. */
  title?: string | null;
}

/** The process lives. */
export interface Health {
  /** Always `ok`. */
  status: string;
}

/** A database to create or the fields to change. */
export interface IntegrationRequest {
  /** 1 to 200 characters; required when it is created. */
  name?: string | null;
  /** `postgres` or `supabase`; required when it is created, ignored afterwards. */
  kind?: string | null;
  /** `postgresql://user:password@host:5432/database`, with `?sslmode=` if needed. Required when it is created; never returned. */
  connectionString?: string | null;
  /** 1 to 20 schemas, default `["public"]`. Tables of the first are called by their bare names. */
  schemas?: Array<string> | null;
  /** The organisation to create it in; default the caller's. */
  orgId?: string | null;
}

/** A database that agents may read. */
export interface Integration {
  /** Id. */
  id: string;
  /** The organisation. */
  org_id: string;
  /** Name for people. */
  name: string;
  /** `postgres` or `supabase`. */
  kind: string;
  /** `active`, or `error` when the last introspection failed. */
  status: string;
  /** Of the connection string. */
  host: string;
  /** Of the connection string. */
  database: string;
  /** Whose tables are read. */
  schemas: Array<string>;
  /** Tables and views in the cached schema. */
  table_count: number;
  /** Why the last introspection failed; null when it went well. */
  last_error: string | null;
  /** What the role could do besides reading: `superuser`, `owner`, `can_write`. The server never uses it. */
  warnings: Array<string>;
  /** Time of the last successful introspection, UTC; null when there was none. */
  introspected_at: string | null;
  /** UTC. */
  created_at: string;
  /** UTC. */
  updated_at: string;
  /** The cached schema; absent in lists. */
  schema?: Array<Table> | null;
}

/** An integration in short. */
export interface IntegrationSummary {
  /** Id. */
  id: string;
  /** Name for people. */
  name: string;
  /** `postgres` or `supabase`. */
  kind: string;
  /** `active` or `error`. */
  status: string;
}

/** How a test of a connection went. */
export interface IntegrationTest {
  /** Whether the database could be read. */
  ok: boolean;
  /** Tables and views that the role may read. */
  tables?: number | null;
  /** As the database says it. */
  server_version?: string | null;
  /** `CONNECT_FAILED`, `AUTH_FAILED`, `TLS_FAILED`, `TIMEOUT` or `BLOCKED_ADDRESS`. */
  error?: string | null;
  /** The reason in words. */
  detail?: string | null;
}

/** Invites somebody who has no account yet. */
export interface InviteRequest {
  /** The only address the invite works for; null or absent = whoever holds the token. */
  email?: string | null;
  /** `viewer`, `member` (default), `admin` or `owner`; only owners appoint owners. */
  role?: string | null;
  /** Hours the invite is valid for, 1 to 720; default 168. */
  expiresInHours?: number | null;
}

/** An invite that was not used yet. */
export interface Invite {
  /** UUID. */
  id: string;
  /** The only address it works for; null = any. */
  email: string | null;
  /** Role of whoever accepts it. */
  role: string;
  /** UUID of the user who made it. */
  created_by: string | null;
  /** When it stops working. */
  expires_at: string | null;
  /** Creation time. */
  created_at: string;
}

/** An API key in a list. */
export interface KeyListItem {
  /** UUID. */
  id: string;
  /** The first 12 characters of the key and `...`. */
  prefix: string;
  /** Name given at creation. */
  name: string;
  /** Creation time. */
  created_at: string;
  /** What the key may do; null = everything. */
  scopes: Array<string> | null;
  /** When the key stops working; null = never. */
  expires_at: string | null;
  /** User who created it; null for keys of the server's own setup. */
  created_by: string | null;
  /** Last use, to the minute; null = never used. */
  last_used_at: string | null;
}

/** Creates an API key. */
export interface KeyRequest {
  /** 1 to 100 characters after trimming. Required. */
  name?: string | null;
  /** What the key may do, such as `threads:write`; null = everything. A `write` includes its `read`. */
  scopes?: Array<string> | null;
  /** ISO 8601 time in the future at which the key stops working; null = never. */
  expiresAt?: string | null;
  /** Organisation for users of several; default: the one acted in. */
  orgId?: string | null;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface KnowledgeConfigRequest {
  /** False: no documents are put into the prompt, and the tool is not offered. Default true. */
  enabled?: boolean | null;
  /** The most pieces of documents in a prompt, 1 to 50, default 6. */
  topK?: number | null;
  /** `auto` (default), `lexical`, `vector` or `hybrid`. */
  mode?: string | null;
  /** 0 to 1, default 0: leaves out what fits less, compared with the best. */
  minScore?: number | null;
  /** The most tokens of documents in a prompt, default 6,000. */
  maxTokens?: number | null;
  /** Whether the organisation's documents are used too; default true. */
  includeOrg?: boolean | null;
  /** Whether the model is also given the tool `knowledge_search`; default false. */
  searchTool?: boolean | null;
}

/** How an agent uses documents. */
export interface KnowledgeConfig {
  /** Whether it uses them. */
  enabled: boolean;
  /** The most pieces in a prompt. */
  top_k: number;
  /** `auto`, `lexical`, `vector` or `hybrid`. */
  mode: string;
  /** What fits less is left out. */
  min_score: number;
  /** The most tokens in a prompt. */
  max_tokens: number;
  /** Whether the organisation's documents are used too. */
  include_org: boolean;
  /** Whether the model is also given the tool `knowledge_search`. */
  search_tool: boolean;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** A question to documents. Either what an agent (and thread) would see, or one scope. */
export interface KnowledgeSearchRequest {
  /** At most 8,000 characters. Required. */
  query?: string | null;
  /** Searches everything this agent would see. */
  agentId?: string | null;
  /** Searches this thread's documents too; without `agentId`, what its agent would see. */
  threadId?: string | null;
  /** With `scopeId`, instead of agent and thread: `org`, `agent` or `thread`. */
  scopeType?: string | null;
  /** UUID of the agent or thread; for `org` that of the organisation. */
  scopeId?: string | null;
  /** 1 to 50, default 6. */
  limit?: number | null;
  /** `auto` (default), `lexical`, `vector` or `hybrid`; the last two need an embedding model. */
  mode?: string | null;
  /** 0 to 1, default 0: leaves out what fits less, compared with the best. */
  minScore?: number | null;
  /** Only documents whose metadata has these top-level keys with these values. */
  filter?: unknown;
}

/** What was found. */
export interface KnowledgeSearch {
  /** How it was searched: `lexical`, `vector` or `hybrid`. */
  mode: string;
  /** Best first. */
  results: Array<KnowledgeSearchResult>;
}

/** A piece of a document that was found. */
export interface KnowledgeSearchResult {
  /** UUID. */
  document_id: string;
  /** UUID. */
  chunk_id: string;
  /** Of the document. */
  title: string;
  /** Name of the file, or address. */
  source_ref: string;
  /** `org`, `agent` or `thread`. */
  scope_type: string;
  /** From 0, in the document. */
  position: number;
  /** Of the section it begins in. */
  heading: string | null;
  /** The page it begins on. */
  page: number | null;
  /** 0 to 1; the best has 1. */
  score: number;
  /** The text. */
  text: string;
}

/** Asks for a login link. */
export interface LoginLinkRequest {
  /** Hours the link is valid for, 1 to 168; default 24. */
  expiresInHours?: number | null;
}

/** A link that logs its person in, once. It stands in for the mail that would let them set a new password. */
export interface LoginLink {
  /** The link. What follows `?token=` is the `oneTimeToken` of a login. */
  url: string;
  /** When it stops working. */
  expires_at: string | null;
}

/** Logs in with `email` and `password`, or with `oneTimeToken`. */
export interface LoginRequest {
  /** E-mail of the account, in any case. */
  email?: string | null;
  /** Password of the account. */
  password?: string | null;
  /** The token of a login link; single use. */
  oneTimeToken?: string | null;
}

/** Ends sessions. */
export interface LogoutRequest {
  /** True = every session of the user; default false = this one. */
  everywhere?: boolean | null;
}

/** A well-known server that is connected with a click. */
export interface ManagedProvider {
  /** The id for `managedProvider`. */
  provider: string;
  /** For people. */
  name: string;
  /** What it is good for. */
  description: string;
  /** A picture. */
  iconUrl: string | null;
  /** `streamable_http` or `sse`. */
  transport: string;
  /** Where it is. */
  url: string;
  /** Null where the server says it. */
  authorizeUrl: string | null;
  /** Null where the server says it. */
  tokenUrl: string | null;
  /** What is asked for. */
  scopes: Array<string>;
  /** It can be connected without more settings. */
  configured: boolean;
  /** The organisation's server of this provider; null when it has none. */
  installedId: string | null;
}

/** Creates the profile of an agent, or changes the fields that are sent. `null` restores a default. */
export interface MarketplaceProfileRequest {
  /** `^[a-z0-9][a-z0-9-]{1,38}$`, unique on the server; 409 when another agent has it. Default: made from the agent's name. */
  handle?: string | null;
  /** 1 to 100 characters; default the agent's name. */
  displayName?: string | null;
  /** At most 160 characters; default the first line of the agent's description. */
  tagline?: string | null;
  /** At most 5,000 characters; default the agent's description. */
  description?: string | null;
  /** What the agent can do, at most 20 texts of 1 to 60 characters. */
  capabilities?: Array<string> | null;
  /** Where it belongs, at most 5 texts of 1 to 60 characters. */
  categories?: Array<string> | null;
  /** `draft` (default) or `listed`. Listing a draft whose `readiness_score` would be below 60 is 409. */
  visibility?: string | null;
}

/** How an agent is presented to people who look for one. */
export interface MarketplaceProfile {
  /** The agent. */
  agent_id: string;
  /** The name it is found under, unique on the server. */
  handle: string;
  /** The agent's name unless another was given. */
  display_name: string;
  /** The first line of the agent's description unless another was given. */
  tagline: string | null;
  /** The agent's description unless another was given. */
  description: string | null;
  /** What the agent can do. */
  capabilities: Array<string>;
  /** Where it belongs. */
  categories: Array<string>;
  /** `draft` or `listed`. */
  visibility: string;
  /** Where its picture is, for everybody; null without one. */
  avatar_url: string | null;
  /** 0 to 100: the weights of the passed checks together, as they stand now. */
  readiness_score: number;
  /** The checks. */
  readiness: Array<ReadinessCheck>;
  /** Time of the first save, UTC. */
  created_at: string;
  /** Time of the last change, UTC. */
  updated_at: string;
}

/** A server to give to an agent, or to take from it. */
export interface McpAttachmentRequest {
  /** The server. Required; for a removal it may also stand in the query. */
  mcpServerId?: string | null;
  /** Names of the tools the agent may have; absent or null = all. */
  allowedTools?: Array<string> | null;
}

/** A server that an agent has. */
export interface McpAttachment {
  /** UUID of the attachment. */
  id: string;
  /** The agent. */
  agent_id: string;
  /** The server. */
  mcp_server_id: string;
  /** Null = all. */
  allowed_tools: Array<string> | null;
  /** When it was attached. */
  created_at: string;
  /** The server in short. */
  server: McpServerSummary;
}

/** A server to connect, or changes of one. Fields that are absent stay as they are. */
export interface McpServerRequest {
  /** 1 to 100 characters. Required for a new server. */
  name?: string | null;
  /** `streamable_http`, `sse` or `stdio`. Required for a new server unless `managedProvider` says it. */
  transport?: string | null;
  /** Where the server is, for `streamable_http` and `sse`. */
  url?: string | null;
  /** The program to run, for `stdio`. */
  command?: string | null;
  /** Arguments of the program, at most 64. */
  args?: Array<string> | null;
  /** What the server is shown. Replaces what was stored; null removes it. Never given back. */
  credentials?: { headers?: Record<string, string> | null; env?: Record<string, string> | null } | null;
  /** Names of the tools that agents may have; null = all. */
  allowedTools?: Array<string> | null;
  /** Id from `/api/mcp-registry/managed`, which brings `transport` and `url`. */
  managedProvider?: string | null;
  /** False takes its tools from every agent; true is the default. */
  enabled?: boolean | null;
  /** The organisation, for users of several. */
  orgId?: string | null;
}

/** A connected server. */
export interface McpServer {
  /** UUID. */
  id: string;
  /** As people call it. */
  name: string;
  /** Made from the first name; the names of its tools begin with it. */
  slug: string;
  /** `streamable_http`, `sse` or `stdio`. */
  transport: string;
  /** Null for `stdio`. */
  url: string | null;
  /** Null except for `stdio`. */
  command: string | null;
  /** Arguments of the program. */
  args: Array<string>;
  /** `active`, `pending` (never connected), `error`, `needs_auth` or `disabled`. */
  status: string;
  /** Headers, variables or tokens are stored. */
  hasCredentials: boolean;
  /** The last successful listing. */
  toolsCache: Array<McpTool>;
  /** Null = all. */
  allowedTools: Array<string> | null;
  /** `none`, `headers`, `env` or `oauth`. */
  auth: string;
  /** Id of the managed provider it was made from. */
  managedProvider: string | null;
  /** The skill that made it; only the skill changes it. */
  skillId: string | null;
  /** Why it could not be reached, or what was left out of its tools. */
  lastError: string | null;
  /** When the tools were listed. */
  toolsCachedAt: string | null;
  /** False takes its tools from every agent. */
  enabled: boolean;
  /** The organisation. */
  orgId: string;
  /** When it was connected. */
  createdAt: string | null;
  /** When it was changed. */
  updatedAt: string | null;
}

/** A server in short. */
export interface McpServerSummary {
  /** UUID. */
  id: string;
  /** As people call it. */
  name: string;
  /** With which the names of its tools begin. */
  slug: string;
  /** As in the server's own object. */
  status: string;
}

/** How a test went. */
export interface McpTest {
  /** The server answered with its tools. */
  ok: boolean;
  /** The tools; empty after a failure. */
  tools: Array<McpTool>;
  /** `CONNECT_FAILED`, `TIMEOUT`, `AUTH_REQUIRED`, `PROTOCOL_ERROR` or `BLOCKED_ADDRESS`; absent after a success. */
  error?: string | null;
  /** More of it, for people. */
  detail?: string | null;
}

/** A tool of a server. */
export interface McpTool {
  /** As the server calls it; agents know it as `{slug}__{name}`. */
  name: string;
  /** What it does, in the server's words. */
  description: string | null;
  /** JSON Schema of its arguments; not part of a test's answer. */
  inputSchema?: unknown;
}

/** The API key of the request. */
export interface MeKey {
  /** UUID. */
  id: string;
  /** The first 12 characters and `...`. */
  prefix: string;
  /** Name given at creation. */
  name: string;
  /** What the key may do; null = everything. */
  scopes: Array<string> | null;
}

/** An organisation of the caller. */
export interface MeOrg {
  /** UUID. */
  id: string;
  /** Name shown to people. */
  name: string;
  /** Unique on the server. */
  slug: string;
  /** `viewer`, `member`, `admin` or `owner`; null for API keys. */
  role: string | null;
  /** True for the organisation requests act in when they name none. */
  is_default: boolean;
}

/** Changes one's own account. Only fields that are sent change. */
export interface MePatch {
  /** At most 200 characters; null clears it. */
  name?: string | null;
  /** One of the user's organisations. */
  defaultOrgId?: string | null;
  /** The new password, 10 to 200 characters. Ends all other sessions. */
  password?: string | null;
  /** The password so far; required with `password` unless the account has none yet or a login link opened this session. */
  currentPassword?: string | null;
}

/** Who the credential of a request belongs to. */
export interface Me {
  /** `user` or `key`. */
  kind: string;
  user: null | User;
  /** Organisations the caller reaches. */
  orgs: Array<MeOrg>;
  key: null | MeKey;
}

/** Changes somebody's role. */
export interface MemberPatch {
  /** `viewer`, `member`, `admin` or `owner`. Required. */
  role?: string | null;
}

/** Adds somebody who has an account to an organisation. */
export interface MemberRequest {
  /** E-mail of the account; this or `userId` is required. 404 when there is none. */
  email?: string | null;
  /** UUID of the account; wins over `email`. */
  userId?: string | null;
  /** `viewer`, `member` (default), `admin` or `owner`; only owners appoint owners. */
  role?: string | null;
}

/** A person in an organisation. */
export interface Member {
  /** UUID of the account. */
  user_id: string;
  /** Lower case. */
  email: string;
  /** Name shown to others. */
  name: string | null;
  /** `viewer`, `member`, `admin` or `owner`. */
  role: string;
  /** When the person joined. */
  created_at: string;
  /** Last request, to the minute; null = never. */
  last_seen_at: string | null;
}

/** How many memories were deleted. */
export interface MemoriesDeleted {
  /** Always true. */
  ok: boolean;
  /** How many. */
  deleted: number;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface MemoryConfigRequest {
  /** Default false. */
  enabled?: boolean | null;
  /** After a turn a model looks for what is worth keeping; default false. */
  autoCollect?: boolean | null;
  /** Recalled memories are put before each turn; default true. */
  autoInject?: boolean | null;
  /** How many, 1 to 50, default 5. */
  injectCount?: number | null;
  /** 1 to 100,000, default 1,000. When there are more, those go that were not used for longest. */
  maxMemories?: number | null;
  /** The agent may read and write memories of its own; default true. */
  agentScope?: boolean | null;
  /** … memories of the thread; default true. */
  threadScope?: boolean | null;
  /** … memories of the resources that the thread is bound to; default true. */
  resourceScope?: boolean | null;
}

/** Whether and what an agent remembers. */
export interface MemoryConfig {
  /** Whether it remembers at all. */
  enabled: boolean;
  /** After a turn a model looks for what is worth keeping. */
  auto_collect: boolean;
  /** Recalled memories are put before each turn. */
  auto_inject: boolean;
  /** How many. */
  inject_count: number;
  /** When there are more, those go that were not used for longest. */
  max_memories: number;
  /** The agent may read and write memories of its own. */
  agent_scope: boolean;
  /** … memories of the thread. */
  thread_scope: boolean;
  /** … memories of the resources that the thread is bound to. */
  resource_scope: boolean;
  /** How many memories the agent has now; read-only. */
  memory_count: number;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** A page of memories. */
export interface MemoryPage {
  /** Newest first, or best first with `q`. */
  memories: Array<Memory>;
  /** For the next page; null on the last. */
  nextCursor: string | null;
}

/** Something an agent remembers. */
export interface Memory {
  /** UUID. */
  id: string;
  /** Whose memory it is. */
  agent_id: string;
  /** `agent`, `thread` or `resource`. */
  scope: string;
  /** The agent's or thread's id, or `type:id` of the resource. */
  scope_id: string;
  /** What it says. */
  content: string;
  /** `tool`, `auto_collect` or `api`. */
  source: string;
  /** How well it fits `q`, 0 to 1; null without one. */
  score: number | null;
  /** As it was given. */
  metadata: unknown;
  /** When it was last recalled, UTC. */
  last_used_at: string | null;
  /** UTC. */
  created_at: string;
}

/** An image or file of a message. */
export interface MessageAttachment {
  /** The file; `GET /api/files/{fileId}/content` has its content. */
  file_id: string;
  /** `image` or `file`. */
  type: string;
  /** Its name. */
  name: string;
  /** What it is. */
  media_type: string;
  /** Bytes. */
  size_bytes: number;
}

/** A page of messages. */
export interface MessagePage {
  /** In the order asked for. */
  messages: Array<Message>;
  /** What the same query would return without paging. */
  total: number;
}

/** A message to a thread. It starts a turn, or continues the one that waits for `toolResults`. */
export interface MessageRequest {
  /** The user's text, at most 400,000 characters. Required unless `toolResults` or `attachments` are sent. */
  content?: string | null;
  /** Client-side tools, at most 64. */
  tools?: Array<ClientToolRequest> | null;
  /** Results of pending client-side calls; a part of them is allowed. */
  toolResults?: Array<ToolResultRequest> | null;
  /** A model for this turn. */
  modelOverride?: string | null;
  /** Name of who writes, at most 200 characters. */
  senderName?: string | null;
  /** The application's id of who writes, at most 255 characters. */
  senderId?: string | null;
  /** A tool profile for this message only. */
  toolProfile?: string | null;
  /** Text or texts added to the system prompt of this message only. */
  systemPromptOverlay?: unknown;
  /** Replaces the thread's resource bindings for this message. */
  resourceBindings?: Array<ResourceBindingRequest> | null;
  /** Partial web config for this message. */
  webOverrides?: unknown;
  /** Partial memory config for this message. */
  memoryOverrides?: unknown;
  /** Partial computer config for this message. */
  computerOverrides?: unknown;
  /** Partial plan config for this message; `mode` is `off`, `plan` or `execute`. */
  planOverrides?: unknown;
  /** Thinking, fallback models and prompt cache of Anthropic models. */
  anthropicOverrides?: { thinking?: { enabled?: boolean | null; budgetTokens?: number | null } | null; fallbackModels?: Array<string> | null; cache?: { disabled?: boolean | null; ttl?: string | null; cacheTools?: boolean | null } | null } | null;
  /** Cache key and safety identifier of OpenAI models. */
  openaiOverrides?: { disabled?: boolean | null; promptCacheKey?: string | null; safetyIdentifier?: string | null } | null;
  /** Images and files, at most 10. With them, `content` may be left out. */
  attachments?: Array<AttachmentRequest> | null;
  /** What the answer has to be: text, JSON, or JSON of a schema. */
  responseFormat?: { type?: string | null; schema?: unknown; name?: string | null; strict?: boolean | null } | null;
  /** `cancel` (default) ends the turn with its last listener; `continue` lets it run. */
  onDisconnect?: string | null;
  /** What happens when a turn runs already: `reject` (default), `queue` or `interrupt`. */
  onBusy?: string | null;
  /** False: one JSON answer instead of a stream. */
  stream?: boolean | null;
  /** JSON object of at most 16 KB, copied to the trace; `sessionId` and `tags` have a meaning there. */
  metadata?: Record<string, unknown>;
}

/** A message as people see it. */
export interface Message {
  /** UUID. */
  id: string;
  /** `user`, `assistant`, or `tool` with `include=tools`. */
  role: string;
  /** The text; of a tool row its result. */
  content: string;
  /** Who wrote it. */
  sender_name: string | null;
  /** When it was stored, UTC. */
  created_at: string;
  /** The application's id of who wrote it. */
  sender_id: string | null;
  /** Images and files. */
  attachments: Array<MessageAttachment>;
  /** True when the turn was stopped and this is what there was. */
  stopped: boolean;
  /** Code of the error that ended the turn; null when it ended well. */
  error: string | null;
  /** Model of an answer. */
  model: string | null;
  /** The turn it belongs to. */
  turn_id: string | null;
  usage: null | MessageUsage;
  /** Calls of the answer's turn; only with `include=tools`. */
  tool_calls?: Array<MessageToolCall> | null;
  /** Of a tool row: the call it answers. */
  tool_call_id?: string | null;
  /** Of a tool row: the tool. */
  tool_name?: string | null;
  /** Of a tool row: whether the call failed. */
  is_error?: boolean | null;
}

/** A piece of a document that stood in the prompt of a turn, as it was then. */
export interface MessageSource {
  /** UUID. */
  document_id: string;
  /** UUID. */
  chunk_id: string;
  /** Of the document. */
  title: string;
  /** Name of the file, or address. */
  source_ref: string;
  /** `org`, `agent` or `thread`. */
  scope_type: string;
  /** From 0, in the document. */
  position: number;
  /** The page it begins on. */
  page: number | null;
  /** 0 to 1; the best has 1. */
  score: number;
  /** The text. */
  text: string;
}

/** Knowledge behind an answer. */
export interface MessageSources {
  /** The answer. */
  message_id: string;
  /** Pieces of documents that stood in the prompt of its turn, best first; those of documents deleted since are left out. */
  sources: Array<MessageSource>;
}

/** A tool call of an answer. */
export interface MessageToolCall {
  /** Id of the call. */
  id: string;
  /** Tool. */
  name: string;
  /** JSON text the model wrote. */
  arguments: string;
}

/** Tokens and cost of a turn. */
export interface MessageUsage {
  /** All prompt tokens, cached ones included. */
  input_tokens: number;
  /** Tokens of the answer. */
  output_tokens: number;
  /** Prompt tokens read from the provider's cache. */
  cache_read_tokens: number;
  /** Prompt tokens written to it. */
  cache_write_tokens: number;
  /** US dollars, six decimals; null when the model has no price. */
  cost_usd: number | null;
}

/** A model agents can use. */
export interface Model {
  /** What `defaultModel` and `modelOverride` take. */
  id: string;
  /** Who makes or serves it. */
  vendor: string;
  /** The provider whose credential is used. */
  provider: string;
  /** Name for people. */
  display_name: string;
  /** Tokens of prompt and answer together; null = not known. */
  context_window: number | null;
  /** Longest answer in tokens; null = not known. */
  max_output_tokens: number | null;
  /** US dollars per million input tokens; null = not known, costs are null. */
  input_usd_per_mtok: number | null;
  /** US dollars per million output tokens. */
  output_usd_per_mtok: number | null;
  /** Price of tokens read from a cache, as a multiple of the input price. */
  cache_read_multiplier: number | null;
  /** Price of tokens written to a cache, as a multiple of the input price. */
  cache_write_multiplier: number | null;
  /** The same for entries that live an hour, where the vendor offers them. */
  cache_write_1h_multiplier: number | null;
  /** Shortest prompt the vendor caches. */
  min_cache_tokens: number | null;
  /** What it can do. */
  supports: ModelSupport;
  /** New agents get it. */
  is_default: boolean;
  /** A credential exists. */
  available: boolean;
  /** A remark for people. */
  note: string | null;
}

/** What a model can do. */
export interface ModelSupport {
  /** Tool calls. */
  tools: boolean;
  /** Images. */
  vision: boolean;
  /** Documents, handed over natively. */
  files: boolean;
  /** Answers bound to a JSON Schema. */
  json_schema: boolean;
  /** Takes a temperature. */
  temperature: boolean;
  /** Extended thinking with a budget. */
  thinking: boolean;
  /** The vendor compacts long conversations. */
  native_compaction: boolean;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface MultiplayerRequest {
  /** False (default): the agent answers every message of a multiplayer thread. */
  enabled?: boolean | null;
  /** `mention` (default): only messages with one of the handles are answered. `always`: the agent also answers messages that call nobody. */
  respondMode?: string | null;
  /** Extra handles, at most 10, each `^[a-z0-9_-]{2,40}$`. */
  mentionNames?: Array<string> | null;
  /** UUIDs of other agents that can be called by their handles, at most 10. 404 for an unknown one. */
  additionalAgents?: Array<string> | null;
  /** Whether user messages reach the model as `Name: text`; default true. */
  includeSenderNames?: boolean | null;
  /** 2 to 500, default 50. */
  maxParticipants?: number | null;
}

/** How an agent behaves in threads of several people. */
export interface Multiplayer {
  /** False: the agent answers every message of a multiplayer thread. */
  enabled: boolean;
  /** `mention` or `always`. */
  respond_mode: string;
  /** Extra handles. */
  mention_names: Array<string>;
  /** Other agents that can be called by their handles; deleted ones are left out. */
  additional_agents: Array<string>;
  /** Whether user messages reach the model as `Name: text`. */
  include_sender_names: boolean;
  /** People in one thread. */
  max_participants: number;
  /** The agent's own handle, made of its name; read-only. */
  handle: string;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** A new invite. This answer is the only one that holds its token. */
export interface NewInvite {
  /** The `inviteToken` of a sign-up. */
  token: string;
  /** The token as a link for people. */
  url: string;
  /** UUID. */
  id: string;
  /** The only address it works for; null = any. */
  email: string | null;
  /** Role of whoever accepts it. */
  role: string;
  /** UUID of the user who made it. */
  created_by: string | null;
  /** When it stops working. */
  expires_at: string | null;
  /** Creation time. */
  created_at: string;
}

/** A new API key. This answer is the only one that holds the key itself. */
export interface NewKey {
  /** UUID. */
  id: string;
  /** The first 12 characters of the key and `...`. */
  prefix: string;
  /** Name given at creation. */
  name: string;
  /** Creation time. */
  created_at: string;
  /** What the key may do; null = everything. */
  scopes: Array<string> | null;
  /** When the key stops working; null = never. */
  expires_at: string | null;
  /** User who created it; null for keys of the server's own setup. */
  created_by: string | null;
  /** The key: `fj_live_` and 64 hex characters. Store it now. */
  key: string;
}

/** A new signing secret. This answer is the only one that holds it. */
export interface NewSigningSecret {
  /** The secret. Store it where signatures are checked. */
  secret: string;
  /** When it began to sign. */
  rotated_at: string;
}

/** A todo to add. */
export interface NewTodoRequest {
  /** 1 to 2,000 characters. Required. */
  content?: string | null;
  /** UUID of the todo it is part of; null = none. */
  parentId?: string | null;
  /** Place among its siblings, from 0; at the end by default. */
  position?: number | null;
  /** `pending` (default), `in_progress`, `done` or `skipped`. */
  status?: string | null;
  /** UUIDs of todos it waits for. */
  blockedBy?: Array<string> | null;
}

/** Begins an authorisation. Everything may be absent where the server, or its managed provider, says it. */
export interface OAuthStartRequest {
  /** This server's id at the provider. */
  clientId?: string | null;
  /** Stored encrypted. */
  clientSecret?: string | null;
  /** Where people authorise, https. */
  authorizeUrl?: string | null;
  /** Where tokens are given, https. */
  tokenUrl?: string | null;
  /** What to ask for; empty for nothing particular. */
  scope?: string | null;
  /** A path on this server where the browser goes after success. */
  redirectAfter?: string | null;
}

/** Where to send the user. */
export interface OAuthStart {
  /** To be opened in a browser within ten minutes, once. */
  authorizationUrl: string;
}

/** What is known of a server's authorisation. */
export interface OAuthState {
  /** Tokens are stored and of use. */
  connected: boolean;
  /** What they are good for. */
  scope: string | null;
  /** When they end; they are refreshed before. */
  expiresAt: string | null;
  /** When they were refreshed last. */
  lastRefreshAt: string | null;
  /** Why they could not be refreshed, or the last authorisation failed. */
  lastError: string | null;
}

/** Deletes an organisation and everything in it. */
export interface OrgDeletion {
  /** The organisation's slug, as a sign that this one is meant. Required; also accepted in the query. */
  confirm?: string | null;
}

/** Creates an organisation, or changes the fields that are sent. */
export interface OrgRequest {
  /** 1 to 200 characters. Required on creation. */
  name?: string | null;
  /** 1 to 60 of `a-z`, `0-9` and single hyphens inside; unique on the server (409). Absent on creation = made of the name. */
  slug?: string | null;
}

/** An organisation as one of its people, or one of its keys, sees it. */
export interface Org {
  /** UUID. */
  id: string;
  /** Name shown to people. */
  name: string;
  /** Unique on the server. */
  slug: string;
  /** The caller's role: `viewer`, `member`, `admin` or `owner`; null for API keys. */
  role: string | null;
  /** How many people belong to it. */
  member_count: number;
  /** Creation time. */
  created_at: string;
}

/** Adds somebody to a multiplayer thread, or changes how they take part. */
export interface ParticipantRequest {
  /** Account id or the application's own id, at most 255 characters. Required. */
  userId?: string | null;
  /** At most 200 characters. */
  displayName?: string | null;
  /** `owner` or `member` (default). */
  role?: string | null;
}

/** Somebody who takes part in a multiplayer thread. */
export interface Participant {
  /** Account id or the application's own id. */
  user_id: string;
  /** Name for people. */
  display_name: string | null;
  /** `owner` or `member`. */
  role: string;
  /** When they joined, UTC. */
  created_at: string;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface PlanConfigRequest {
  /** Offers the plan tools; default false. */
  enabled?: boolean | null;
  /** New plans are drafts until somebody approves them; default true. */
  requireApproval?: boolean | null;
  /** Todos of one plan, 1 to 500, default 100. */
  maxTodos?: number | null;
}

/** Whether and how an agent plans. */
export interface PlanConfig {
  /** Offers the plan tools. */
  enabled: boolean;
  /** New plans are drafts until somebody approves them. */
  require_approval: boolean;
  /** Todos of one plan. */
  max_todos: number;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}

/** How far a plan is; todos with children do not count. */
export interface PlanProgress {
  /** All of them. */
  total: number;
  /** Done. */
  done: number;
  /** Skipped. */
  skipped: number;
  /** Being worked on. */
  in_progress: number;
  /** Not begun. */
  pending: number;
}

/** A plan with all its todos. */
export interface Plan {
  /** UUID. */
  id: string;
  /** Organisation. */
  org_id: string;
  /** The thread it belongs to. */
  thread_id: string;
  /** Whose plan it is. */
  agent_id: string;
  /** What it is about. */
  title: string;
  /** More about it. */
  description: string | null;
  /** `draft`, `approved`, `in_progress`, `completed` or `cancelled`. */
  status: string;
  /** When it was approved, UTC. */
  approved_at: string | null;
  /** Id of the user who approved it, or `key`; null when no approval was asked for. */
  approved_by: string | null;
  /** Counts of the todos without children. */
  progress: PlanProgress;
  /** All todos, depth first. */
  todos: Array<Todo>;
  /** UTC. */
  created_at: string;
  /** UTC; moves with every change, of todos too. */
  updated_at: string;
}

/** What is known about a provider's model. Everything but the id is optional; an entry with a catalog id overrides the catalog. */
export interface ProviderModelRequest {
  /** Name the provider knows, 1 to 200 characters. */
  id?: string | null;
  /** Name for people, at most 200 characters. */
  display_name?: string | null;
  /** Tokens of prompt and answer together. */
  context_window?: number | null;
  /** Longest answer in tokens. */
  max_output_tokens?: number | null;
  /** US dollars per million input tokens. */
  input_usd_per_mtok?: number | null;
  /** US dollars per million output tokens. */
  output_usd_per_mtok?: number | null;
  /** Price of tokens read from a cache, as a multiple of the input price. */
  cache_read_multiplier?: number | null;
  /** Price of tokens written to a cache, as a multiple of the input price. */
  cache_write_multiplier?: number | null;
  supports?: null | ProviderModelSupport;
}

/** A provider's model as configured. */
export interface ProviderModel {
  /** Name the provider knows. */
  id: string;
  /** Name for people. */
  display_name?: string | null;
  /** Tokens of prompt and answer together. */
  context_window?: number | null;
  /** Longest answer in tokens. */
  max_output_tokens?: number | null;
  /** US dollars per million input tokens. */
  input_usd_per_mtok?: number | null;
  /** US dollars per million output tokens. */
  output_usd_per_mtok?: number | null;
  /** What the model can do, as far as configured. */
  supports?: Record<string, boolean>;
  /** Price of tokens read from a cache, as a multiple of the input price. */
  cache_read_multiplier?: number | null;
  /** Price of tokens written to a cache, as a multiple of the input price. */
  cache_write_multiplier?: number | null;
}

/** What a provider's model can do; what is not said has the default of its kind. */
export interface ProviderModelSupport {
  /** Tool calls. */
  tools?: boolean | null;
  /** Images. */
  vision?: boolean | null;
  /** Documents, handed over natively. */
  files?: boolean | null;
  /** Answers bound to a JSON Schema. */
  json_schema?: boolean | null;
  /** Takes a temperature. */
  temperature?: boolean | null;
  /** Extended thinking with a budget. */
  thinking?: boolean | null;
  /** The vendor compacts long conversations. */
  native_compaction?: boolean | null;
}

/** Creates a provider, or changes the fields that are sent. `null` clears a field or restores its default. */
export interface ProviderRequest {
  /** `openai_compatible` (default) or `anthropic_compatible`; well-known names have the kind of the same name. */
  kind?: string | null;
  /** Credential; write-only. */
  apiKey?: string | null;
  /** Base address, including `/v1` where the server has it. Required for compatible kinds; private hosts only where the operator allows them. */
  baseUrl?: string | null;
  /** Further request headers, name to value; write-only. Replaces all earlier ones. */
  headers?: Record<string, string> | null;
  /** Models with what is known about them, at most 200. Replaces the earlier list. */
  models?: Array<ProviderModelRequest> | null;
  /** False: the organisation's calls to this provider fail, and server-wide credentials do not stand in. */
  enabled?: boolean | null;
}

/** An organisation's own provider, or one the operator set for everybody. */
export interface Provider {
  /** Its name; models are `&lt;provider&gt;/&lt;model&gt;`. */
  provider: string;
  /** What is spoken there. */
  kind: string;
  /** Base address; null = the vendor's own, or the operator's. */
  base_url: string | null;
  /** True when a credential is stored. */
  has_api_key: boolean;
  /** Names of the stored headers. */
  header_names: Array<string>;
  /** False: calls fail. */
  enabled: boolean;
  /** `org`, or `server` for one the operator set, which cannot be changed here. */
  source: string;
  /** Models with what is known about them. */
  models: Array<ProviderModel>;
  /** Last change; null for the operator's. */
  updated_at: string;
}

/** Names the model that a test calls. */
export interface ProviderTestRequest {
  /** Name the provider knows, or `<provider>/<model>`. Default: a cheap one of the vendor's, or the provider's first. */
  model?: string | null;
}

/** How a test call went. */
export interface ProviderTest {
  /** The provider answered. */
  ok: boolean;
  /** Time until the answer was whole; only when it went well. */
  latency_ms?: number | null;
  /** What went wrong, such as `AUTH_FAILED`. */
  error?: string | null;
  /** The same for people. */
  detail?: string | null;
}

/** Who answers in a published chat. */
export interface PublicAgent {
  /** Its name. */
  name: string;
  /** Its picture; null without one. */
  avatar_url: string | null;
}

/** An image or file of a visitor. Visitors bring content: they name no files of the organisation, and the server fetches nothing for them. */
export interface PublicAttachmentRequest {
  /** `image` or `file`. Required. */
  type?: string | null;
  /** At most 200 characters. */
  name?: string | null;
  /** What the sender takes it for. */
  mediaType?: string | null;
  /** The content in base64. Required. */
  data?: string | null;
}

/** A published chat as its page shows it. */
export interface PublicChat {
  /** Last part of its address. */
  slug: string;
  /** Name of the chat. */
  title: string;
  /** What it is for. */
  description: string | null;
  /** `public` or `private`. */
  visibility: string;
  /** Whether every other call needs `X-Flapjack-Session`. */
  requires_session: boolean;
  /** Who answers. */
  agent: PublicAgent;
  /** Said before the visitor says anything. */
  welcome_message: string | null;
  /** Questions to choose from. */
  suggested_prompts: Array<string>;
  /** Whether messages may bring images and files. */
  allow_attachments: boolean;
}

/** A message as visitors see it. */
export interface PublicMessage {
  /** UUID. */
  id: string;
  /** `user` or `assistant`. */
  role: string;
  /** The text. */
  content: string;
  /** When it was stored, UTC. */
  created_at: string;
  /** True when the turn was stopped and this is what there was. */
  stopped: boolean;
  /** Images and files; only where the chat allows them. */
  attachments?: unknown;
}

/** A page of the messages of a thread. */
export interface PublicMessagePage {
  /** In the order asked for. */
  messages: Array<PublicMessage>;
  /** What the same query would return without paging. */
  total: number;
}

/** A visitor's message. Other fields are ignored: what the agent is and may do is settled by who published it. */
export interface PublicMessageRequest {
  /** The text, at most 400,000 characters. Required unless there are attachments. */
  content?: string | null;
  /** Images and files, at most 10, where the chat allows them. */
  attachments?: Array<PublicAttachmentRequest> | null;
  /** `cancel` (default) ends the turn with its last listener; `continue` lets it run. */
  onDisconnect?: string | null;
  /** What happens when a turn runs already: `reject` (default), `queue` or `interrupt`. */
  onBusy?: string | null;
}

/** Opens a thread in a published chat. Other fields are ignored. */
export interface PublicThreadRequest {
  /** At most 300 characters. */
  title?: string | null;
}

/** A new thread of a published chat. */
export interface PublicThread {
  /** UUID. In a public chat whoever knows it may read and write, unless the thread was opened with a session. */
  id: string;
  /** As sent. */
  title: string | null;
  /** Time of creation, UTC. */
  created_at: string;
  /** Send it as `X-Flapjack-Session`. */
  sessionToken: string;
}

/** An agent that people talk to without an account. */
export interface Publication {
  /** UUID. */
  id: string;
  /** The agent. */
  agent_id: string;
  /** Last part of its address; stays the agent's when it is not active. */
  slug: string;
  /** `public` or `private`. */
  visibility: string;
  /** Shown by the page; the agent's name unless another was given. */
  title: string;
  /** Shown by the page; the agent's description unless another was given. */
  description: string | null;
  /** False once unpublished. */
  is_active: boolean;
  /** The page. */
  url: string;
  /** What the page says before the visitor does. */
  welcome_message: string | null;
  /** Questions the page offers. */
  suggested_prompts: Array<string>;
  /** Browser origins that may use the chat; null = any. */
  allowed_origins: Array<string> | null;
  /** Whether visitors may send images and files. */
  allow_attachments: boolean;
  /** Whether visitors see arguments and results of tool calls. */
  expose_tool_details: boolean;
  /** Time of the first publication, UTC. */
  created_at: string;
}

/** Publishes an agent under a slug, or changes the fields that are sent of a slug it has. `null` restores a default. */
export interface PublishRequest {
  /** `^[a-z0-9][a-z0-9-]{1,62}$`, unique on the server. Required. 409 when it belongs to another agent. */
  slug?: string | null;
  /** `public` (default): the address suffices. `private`: visitors need a session. */
  visibility?: string | null;
  /** At most 300 characters; default the agent's name. */
  title?: string | null;
  /** At most 2,000 characters; default the agent's description. */
  description?: string | null;
  /** What the page says before the visitor does, at most 10,000 characters. */
  welcomeMessage?: string | null;
  /** Questions the page offers, at most 20 of 500 characters. */
  suggestedPrompts?: Array<string> | null;
  /** Browser origins that may use the chat, such as `https://www.example.com`, at most 50; null = any. */
  allowedOrigins?: Array<string> | null;
  /** Whether visitors may send images and files; default false. */
  allowAttachments?: boolean | null;
  /** Whether visitors see arguments and results of tool calls; default false. */
  exposeToolDetails?: boolean | null;
}

/** One check of an agent's readiness. */
export interface ReadinessCheck {
  /** `has_preamble`, `has_description`, `has_avatar`, `has_capabilities`, `has_tools_or_knowledge`, `published` or `has_traffic` (a turn in the last 30 days). */
  check: string;
  /** Whether it is passed. */
  ok: boolean;
  /** What it adds to the score. */
  weight: number;
}

/** Whether this node can serve. */
export interface Readiness {
  /** `ready`, `draining` or `unavailable`. */
  status: string;
  /** `ok` or `failed` per check: `database`, `migrations`, `storage`. */
  checks: Record<string, string>;
  /** `SERVICE_UNAVAILABLE` when not ready; else absent. */
  error?: string | null;
  /** Names what failed; absent when ready. */
  detail?: string | null;
}

/** Exchanges a refresh token. */
export interface RefreshRequest {
  /** The refresh token of the newest session answer. Required; single use. */
  refreshToken?: string | null;
}

/** A header or variable that a server wants. */
export interface RegistryInput {
  /** Its name. */
  name: string;
  /** The server does not work without. */
  required: boolean;
  /** It should not be shown. */
  secret: boolean;
  /** What it is. */
  description: string | null;
}

/** A package of a server. */
export interface RegistryPackage {
  /** Where it is published, such as `npm`. */
  registry: string;
  /** Its name there. */
  identifier: string;
  /** Its version. */
  version: string | null;
  /** The program that runs it; null when none is usual. */
  command: string | null;
  /** Arguments of the program. */
  args: Array<string>;
  /** Variables it wants. */
  env: Array<RegistryInput>;
}

/** Servers found in the registry. */
export interface RegistryPage {
  /** One page. */
  servers: Array<RegistryServer>;
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}

/** An address of a server. */
export interface RegistryRemote {
  /** `streamable_http` or `sse`. */
  transport: string;
  /** May hold placeholders in braces. */
  url: string;
  /** What it wants to be sent. */
  headers: Array<RegistryInput>;
}

/** A server in the registry. */
export interface RegistryServer {
  /** Its name there, such as `io.github.acme/weather`. */
  name: string;
  /** For people. */
  title: string | null;
  /** What it does. */
  description: string | null;
  /** Its newest version. */
  version: string | null;
  /** Where its source is. */
  repositoryUrl: string | null;
  /** Where more is said of it. */
  websiteUrl: string | null;
  /** A picture. */
  iconUrl: string | null;
  /** Where it runs already. */
  remotes: Array<RegistryRemote>;
  /** As programs to run. */
  packages: Array<RegistryPackage>;
  /** The organisation's server with one of these addresses; null when it has none. */
  installedId?: string | null;
}

/** A resource of the application that the conversation is about. */
export interface ResourceBindingRequest {
  /** Kind of resource, at most 100 characters. */
  type?: string | null;
  /** Also accepted for `type`. */
  resourceType?: string | null;
  /** Its id, at most 255 characters. */
  id?: string | null;
  /** Also accepted for `id`. */
  resourceId?: string | null;
  /** Name for people. */
  label?: string | null;
  /** Address for people. */
  uri?: string | null;
  /** JSON object of at most 32 KB, shown to the model. */
  data?: Record<string, unknown>;
}

/** A task to make, or what changes in one. Exactly one of `runAt`, `cronExpression` and `everyMinutes` says when; a change may leave all three out. */
export interface ScheduledTaskRequest {
  /** What the agent is told, 1 to 4,000 characters. Required for a new task. */
  prompt?: string | null;
  /** At most 300 characters; also the title of threads that the task opens. `null` clears. */
  title?: string | null;
  /** The only time, ISO 8601. Without an offset it is a local time of `timezone`. A time that has passed is 422. */
  runAt?: string | null;
  /** Five fields: minute, hour, day of the month, month, day of the week, such as `0 9 * * MON`; local times of `timezone`. At most 200 characters. */
  cronExpression?: string | null;
  /** Minutes from one occurrence to the next, from the config's minimum to 525,600. */
  everyMinutes?: number | null;
  /** IANA name, such as `Europe/Oslo`; by default, and with `null`, the config's. */
  timezone?: string | null;
  /** UUID of a thread of the agent in which its turns run; `null` (default) = a new thread each time. 404 when the caller sees no such thread. */
  threadId?: string | null;
  /** `active` or `paused`; changes only. A task that ended becomes active again, when it has a time to come. */
  status?: string | null;
}

/** A prompt that the agent is given at certain times. */
export interface ScheduledTask {
  /** UUID. */
  id: string;
  /** Whose task it is. */
  agent_id: string;
  /** Where its turns run; null = each in a new thread. A thread that is gone by then is replaced by a new one. */
  thread_id: string | null;
  /** For people. */
  title: string | null;
  /** What the agent is told. */
  prompt: string;
  /** The only time, UTC; null for tasks that come again. */
  run_at: string | null;
  /** Five fields of cron, in local times of `timezone`. */
  cron_expression: string | null;
  /** Minutes from one occurrence to the next. */
  every_minutes: number | null;
  /** IANA name. */
  timezone: string;
  /** `active`, `paused`, `finished` (its only time has come) or `failed` (three turns in a row failed). */
  status: string;
  /** The next occurrence, UTC; null unless the task is active. */
  next_run_at: string | null;
  /** When its last turn began, UTC. */
  last_run_at: string | null;
  /** `running`, `ok`, `error` or `stopped`; null before the first turn. */
  last_status: string | null;
  /** Occurrences that were carried out or failed to begin. */
  run_count: number;
  /** `agent`, `user` or `key`. */
  created_by: string;
  /** UTC. */
  created_at: string;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface ScheduledTasksConfigRequest {
  /** Lets the agent have tasks, and offers it the tools; default false. The same as `scheduledTasksEnabled` of the agent. Switching off pauses its tasks; switching on resumes none. */
  enabled?: boolean | null;
  /** Active tasks at a time, 1 to 200, default 20. Tasks that are active already stay so. */
  maxActive?: number | null;
  /** Shortest time from one occurrence of a task to the next, 1 to 1,440 minutes, default 5. Holds for tasks that are made or changed from now on. */
  minIntervalMinutes?: number | null;
  /** IANA name of the time zone of tasks that give none; default `UTC`. */
  timezone?: string | null;
}

/** Whether an agent may have scheduled tasks, their limits, and those it has. */
export interface ScheduledTasksConfig {
  /** Lets the agent have tasks, and offers it the tools. */
  enabled: boolean;
  /** Active tasks at a time. */
  max_active: number;
  /** Shortest time from one occurrence of a task to the next, in minutes. */
  min_interval_minutes: number;
  /** IANA name of the time zone of tasks that give none. */
  timezone: string;
  /** Active and paused tasks, newest first. Who does not see the whole organisation sees their own and those of nobody. */
  tasks: Array<ScheduledTask>;
  /** Time of the last change of the limits, UTC; null when never saved. */
  updated_at: string;
}

/** An organisation and the caller's role in it. */
export interface SessionOrg {
  /** UUID. */
  id: string;
  /** Name shown to people. */
  name: string;
  /** Unique on the server. */
  slug: string;
  /** `viewer`, `member`, `admin` or `owner`; null for API keys. */
  role: string | null;
}

/** A session: what a client needs to call and to go on. */
export interface Session {
  /** JWT for `Authorization: Bearer`. */
  access_token: string;
  /** Always `Bearer`. */
  token_type?: string;
  /** Seconds the access token is valid for. */
  expires_in: number;
  /** Buys the next access token, once. Reuse ends the session. */
  refresh_token: string;
  /** Who logged in. */
  user: User;
  org: null | SessionOrg;
}

/** Replaces a signing secret. */
export interface SigningSecretRequest {
  /** Own value of 24 to 200 characters; absent or null = a random one. */
  secret?: string | null;
}

/** A signing secret without its value. */
export interface SigningSecret {
  /** Always true: without a secret of the organisation the server's own signs. */
  has_secret?: boolean;
  /** `org` = its own, `server` = the server's. */
  source: string;
  /** The first characters, at most nine. */
  prefix: string;
  /** Time of the last rotation; null = never. */
  rotated_at: string;
}

/** Opens an account. What it needs depends on `Auth:SignupMode`. */
export interface SignupRequest {
  /** E-mail of the new account, at most 320 characters. Required; 409 when it is taken. */
  email?: string | null;
  /** 10 to 200 characters. Required. */
  password?: string | null;
  /** At most 200 characters. */
  name?: string | null;
  /** Name of the organisation that the account gets in mode `open`, at most 200 characters. With an invite there is no such organisation. */
  orgName?: string | null;
  /** Token of an invite; required in mode `invite`. 422 when it is unknown, used, expired or for another address. */
  inviteToken?: string | null;
}

/** A todo of a plan to make. */
export interface SketchedTodoRequest {
  /** 1 to 2,000 characters. Required. */
  content?: string | null;
  /** Array of todos it consists of, with the same fields. */
  children?: unknown;
  /** Todos it waits for, as places in the whole list counted depth first from 0. */
  blockedBy?: Array<number> | null;
}

/** One operation of a trace. Model calls are ModelSpanResponses. */
export type Span = ModelSpan | PlainSpan;

/** A model call. */
export interface ModelSpan {
  /** UUID. */
  id: string;
  /** The trace it belongs to. */
  trace_id: string;
  /** The operation it ran in; null for the root. */
  parent_span_id: string | null;
  /** `agent`, `llm`, `tool`, `mcp`, `webhook`, `chain` and more. */
  kind: string;
  /** Model id, tool name, or what a person would call it. */
  name: string;
  /** `running`, `ok` or `error`. */
  status: string;
  /** When it began. */
  started_at: string;
  /** When it ended; null while it runs. */
  ended_at: string | null;
  /** What went in; cut above about 256 KB; null when contents are not captured. */
  input: unknown;
  /** What came out. */
  output: unknown;
  /** Why it failed. */
  error: string | null;
  /** How long it took; null while it runs. */
  duration_ms: number | null;
  /** Further facts. */
  attributes: unknown;
  /** The provider that was called. */
  provider: string | null;
  /** Model id as requested. */
  model: string | null;
  /** As sent. */
  temperature: number | null;
  /** As sent. */
  max_tokens: number | null;
  /** All prompt tokens, cached ones included. */
  input_tokens: number | null;
  /** Tokens of the answer. */
  output_tokens: number | null;
  /** Prompt tokens read from a cache. */
  cached_input_tokens: number | null;
  /** Null when the model has no price. */
  cost_usd: number | null;
  /** Whose credential was used. */
  credential_source: string | null;
}

/** One operation of a trace. Model calls are ModelSpanResponses. */
export interface PlainSpan {
  /** UUID. */
  id: string;
  /** The trace it belongs to. */
  trace_id: string;
  /** The operation it ran in; null for the root. */
  parent_span_id: string | null;
  /** `agent`, `llm`, `tool`, `mcp`, `webhook`, `chain` and more. */
  kind: string;
  /** Model id, tool name, or what a person would call it. */
  name: string;
  /** `running`, `ok` or `error`. */
  status: string;
  /** When it began. */
  started_at: string;
  /** When it ended; null while it runs. */
  ended_at: string | null;
  /** What went in; cut above about 256 KB; null when contents are not captured. */
  input: unknown;
  /** What came out. */
  output: unknown;
  /** Why it failed. */
  error: string | null;
  /** How long it took; null while it runs. */
  duration_ms: number | null;
  /** Further facts. */
  attributes: unknown;
}

/** Another agent that can be asked. */
export interface SubAgentRequest {
  /** UUID of the agent. */
  agentId?: string | null;
  /** Its name here, at most 200 characters; absent = its own. The tool is called after it. */
  name?: string | null;
  /** Tells the model when to ask it, at most 2,000 characters; absent = its own. */
  description?: string | null;
}

/** Another agent that can be asked. */
export interface SubAgent {
  /** The agent. */
  agent_id: string;
  /** Its name here. */
  name: string;
  /** When to ask it. */
  description: string | null;
}

/** Dismisses a suggestion, or takes it up again. */
export interface SuggestionChangeRequest {
  /** UUID of the suggestion. Required. */
  suggestionId?: string | null;
  /** True by default. */
  dismissed?: boolean | null;
}

/** With `title`: a suggestion to store. Without: the order that a model look for some. */
export interface SuggestionRequest {
  /** 1 to 300 characters. Without it the agent's model reviews the agent. */
  title?: string | null;
  /** At most 5,000 characters. */
  detail?: string | null;
  /** `prompt` (default), `tools`, `knowledge`, `model`, `safety` or `cost`. */
  category?: string | null;
  /** `low`, `medium` (default) or `high`. */
  severity?: string | null;
  /** The proposed change: `agent` or names of configs, each with an object of fields; at most 16 KB. It is shown as sent, so it must hold no secret. */
  patch?: unknown;
  /** For a review: what to look at, at most 1,000 characters. */
  focus?: string | null;
  /** For a review: how many suggestions at most, 1 to 10, default 5. */
  maxCount?: number | null;
}

/** How an agent might be improved. Nothing applies it by itself. */
export interface Suggestion {
  /** UUID. */
  id: string;
  /** The agent. */
  agent_id: string;
  /** `prompt`, `tools`, `knowledge`, `model`, `safety` or `cost`. */
  category: string;
  /** `low`, `medium` or `high`. */
  severity: string;
  /** What is wrong, or could be better. */
  title: string;
  /** Why, and what to do. */
  detail: string | null;
  /** The proposed change: `agent` or names of configs, each with its fields; null when there is none. */
  patch: unknown;
  /** True when somebody has dealt with it. */
  dismissed: boolean;
  /** When, UTC. */
  dismissed_at: string | null;
  /** `api` or `model`. */
  source: string;
  /** Time of creation, UTC. */
  created_at: string;
}

/** A table or view. */
export interface Table {
  /** Its schema. */
  schema: string;
  /** Its name. */
  table: string;
  /** Comment in the database; null without one. */
  comment: string | null;
  /** Columns that the role may read, in the table's order. */
  columns: Array<Column>;
}

/** A page of threads. */
export interface ThreadPage {
  /** Newest first. */
  threads: Array<Thread>;
  /** Pass it back as `cursor`; null on the last page. */
  nextCursor: string | null;
}

/** A conversation with an agent. */
export interface Thread {
  /** UUID. */
  id: string;
  /** Owning organisation. */
  org_id: string;
  /** The agent that answers. */
  agent_id: string;
  /** Null until set. */
  title: string | null;
  /** `single` or `multiplayer`. */
  kind: string;
  /** `active` or `archived`. */
  status: string;
  /** Null = the agent's default. */
  active_profile: string | null;
  /** Text added to the system prompt. */
  system_prompt_overlay: string | null;
  /** Resources the conversation is about. */
  resource_bindings: unknown;
  /** Who started it. */
  user_id: string | null;
  /** Client-side tool results are pending. */
  awaiting_action: boolean;
  /** The turn that runs now. */
  active_turn_id: string | null;
  /** The thread this one was forked from. */
  parent_thread_id: string | null;
  /** The message it was forked at. */
  forked_from_message_id: string | null;
  /** JSON object. */
  metadata: Record<string, unknown>;
  /** Time of creation, UTC; unique per agent. */
  created_at: string;
  /** Time of the last message or change, UTC. */
  updated_at: string;
}

/** One thing to do of a plan. */
export interface Todo {
  /** UUID. */
  id: string;
  /** Its plan. */
  plan_id: string;
  /** The todo it is part of. */
  parent_id: string | null;
  /** 0 for todos that are part of none. */
  depth: number;
  /** Among its siblings, from 0. */
  position: number;
  /** What is to be done. */
  content: string;
  /** `pending`, `in_progress`, `done` or `skipped`; with children, what follows from theirs. */
  status: string;
  /** A remark. */
  note: string | null;
  /** Todos it waits for, open and closed ones. */
  blocked_by: Array<string>;
  /** It is pending, has no children and waits for nothing. */
  ready: boolean;
  /** UTC. */
  started_at: string;
  /** UTC. */
  finished_at: string | null;
  /** UTC. */
  created_at: string;
  /** UTC. */
  updated_at: string;
}

/** Creates a webhook tool, or changes the fields that are sent. `null` clears a nullable field and restores the default of any other. */
export interface ToolRequest {
  /** `^[A-Za-z0-9_-]{1,64}$` without `__`, unique in the organisation, not the name of a built-in tool. Required on creation. */
  name?: string | null;
  /** Tells the model when to use it; 1 to 4,000 characters. Required on creation. */
  description?: string | null;
  /** http or https address that is called. Required on creation. */
  url?: string | null;
  /** JSON Schema of the arguments with root type `object`, at most 64 KB; default `{"type":"object","properties":{}}`. */
  parameters?: unknown;
  /** 1,000 to 120,000, default 30,000; for the whole call, retries included. */
  timeoutMs?: number | null;
  /** Headers of every call, name to value, at most 20. Write-only; `X-Flapjack-*`, `Host`, `Content-*` and what frames a request are refused. */
  headers?: Record<string, string> | null;
  /** Signing secret of its own, 16 to 200 characters. Write-only; null = the organisation's. */
  secret?: string | null;
  /** 0 (default) to 3: how often a call is repeated that met no connection, 502, 503 or 504. */
  retries?: number | null;
  /** True: after a crash of the server a call may be sent again, with the same `Idempotency-Key`. False (default): it is never sent twice. */
  idempotent?: boolean | null;
  /** False: no agent is offered it. Default true. */
  enabled?: boolean | null;
  /** UUID of an agent to attach the new tool to; ignored on change. */
  agentId?: string | null;
  /** Organisation for callers of several; ignored on change. */
  orgId?: string | null;
}

/** A webhook tool. */
export interface Tool {
  /** UUID. */
  id: string;
  /** Owning organisation. */
  org_id: string;
  /** What models call. */
  name: string;
  /** Tells models when to use it. */
  description: string;
  /** The address that is called. */
  url: string;
  /** JSON Schema of the arguments. */
  parameters: unknown;
  /** Time limit of a call. */
  timeout_ms: number;
  /** Names of its headers; their values are never shown. */
  header_names: Array<string>;
  /** Whether it has a signing secret of its own. */
  has_secret: boolean;
  /** How often a call may be repeated. */
  retries: number;
  /** Whether a call may be sent again after a crash. */
  idempotent: boolean;
  /** Whether agents are offered it. */
  enabled: boolean;
  /** Time of creation, UTC. */
  created_at: string;
  /** Time of the last change, UTC. */
  updated_at: string;
}

/** The result of a client-side call. */
export interface ToolResultRequest {
  /** Id of a pending call. */
  toolCallId?: string | null;
  /** Also accepted for `toolCallId`. */
  id?: string | null;
  /** A string or any JSON, at most 1 MB. */
  result?: unknown;
  /** Also accepted for `result`. */
  output?: unknown;
  /** Also accepted for `result`. */
  content?: unknown;
  /** True when the call failed. */
  isError?: boolean | null;
}

/** What a tool is, in short. */
export interface ToolSummary {
  /** UUID. */
  id: string;
  /** What models call. */
  name: string;
  /** Tells models when to use it. */
  description: string;
  /** `webhook`. */
  kind: string;
  /** `active`, or `disabled`: no agent is offered it. */
  status: string;
}

/** An event of a stream. */
export interface ToolTestEvent {
  /** `custom` or `auth_challenge`. */
  event: string;
  /** As the stream would carry it. */
  data: unknown;
}

/** Tries a tool out. */
export interface ToolTestRequest {
  /** The arguments a model would send; default `{}`. */
  arguments?: unknown;
}

/** What came of a try. */
export interface ToolTest {
  /** Whether a model would have got a result. */
  ok: boolean;
  /** HTTP status of the endpoint; null when no answer came. */
  status: number | null;
  /** How long the call took. */
  duration_ms: number;
  /** The result a model would get; null when it failed. */
  result: unknown;
  /** The code a model would get instead; null when it went well. */
  error: string | null;
  /** What goes with the code. */
  detail: string | null;
  /** The events a client would get. */
  events: Array<ToolTestEvent>;
}

/** A trace with its spans and evaluations. */
export interface TraceDetail {
  /** The trace itself. */
  trace: Trace;
  /** Ordered by start; the tree is in `parent_span_id`. */
  spans: Array<Span>;
  /** Oldest first. */
  evaluations: Array<Evaluation>;
}

/** A page of traces. */
export interface TraceList {
  /** Newest first. */
  traces: Array<TraceSummary>;
  /** Pass it as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

/** A single trace. */
export interface Trace {
  /** UUID; for turns the turn's id. */
  id: string;
  /** What kind of work it was, such as `chat-turn`. */
  name: string;
  /** `running`, `ok` or `error`. */
  status: string;
  /** When it began. */
  started_at: string;
  /** When it ended; null while it runs. */
  ended_at: string | null;
  /** How long it took; null while it runs. */
  duration_ms: number | null;
  /** Tokens of all model calls. */
  total_input_tokens: number;
  /** Tokens of all model calls. */
  total_output_tokens: number;
  /** Cost of all model calls with a known price. */
  total_cost_usd: number;
  /** Tags of message or thread, and where it came from. */
  tags: unknown;
  /** Metadata of the message. */
  metadata: unknown;
  /** Owning organisation. */
  org_id: string;
  /** The agent that answered. */
  agent_id: string | null;
  /** The runner that ran. */
  runner_id: string | null;
  /** The thread of a turn. */
  thread_id: string | null;
  /** The run of a runner. */
  run_id: string | null;
  /** The application's session, or one per thread. */
  session_id: string;
  /** Who asked. */
  user_id: string | null;
}

/** A trace in a list. */
export interface TraceSummary {
  /** UUID; for turns the turn's id. */
  id: string;
  /** Owning organisation. */
  org_id: string;
  /** The agent that answered. */
  agent_id: string | null;
  /** The runner that ran. */
  runner_id: string | null;
  /** The thread of a turn. */
  thread_id: string | null;
  /** The run of a runner. */
  run_id: string | null;
  /** The application's session, or one per thread. */
  session_id: string;
  /** Who asked. */
  user_id: string | null;
  /** What kind of work it was, such as `chat-turn`. */
  name: string;
  /** `running`, `ok` or `error`. */
  status: string;
  /** When it began. */
  started_at: string;
  /** When it ended; null while it runs. */
  ended_at: string | null;
  /** How long it took; null while it runs. */
  duration_ms: number | null;
  /** Tokens of all model calls. */
  total_input_tokens: number;
  /** Tokens of all model calls. */
  total_output_tokens: number;
  /** Cost of all model calls with a known price. */
  total_cost_usd: number;
  /** Tags of message or thread, and where it came from. */
  tags: unknown;
  /** Operations. */
  span_count: number;
  /** Operations that failed. */
  error_count: number;
  /** Model calls. */
  llm_call_count: number;
  /** Tool calls. */
  tool_call_count: number;
}

/** Ends a publication. */
export interface UnpublishRequest {
  /** The one to end; without it all of the agent end. May also stand in the query. */
  slug?: string | null;
}

/** A change of a plan; fields that are absent stay. */
export interface UpdatePlanRequest {
  /** 1 to 300 characters. */
  title?: string | null;
  /** At most 10,000 characters; `null` clears. */
  description?: string | null;
  /** `draft`, `approved`, `in_progress`, `completed` or `cancelled`; 409 when the plan cannot go there. */
  status?: string | null;
}

/** Changes the fields that are sent; `null` clears. */
export interface UpdateThreadRequest {
  /** A key of the agent's profiles; null = the agent's default. */
  activeProfile?: string | null;
  /** At most 300 characters. */
  title?: string | null;
  /** Text, or texts that are joined with a blank line; at most 50,000 characters. */
  systemPromptOverlay?: unknown;
  /** `active` or `archived`. */
  status?: string | null;
  /** At most 20 resources the conversation is about. */
  resourceBindings?: Array<ResourceBindingRequest> | null;
  /** JSON object of at most 16 KB. */
  metadata?: Record<string, unknown>;
}

/** A change of a todo; fields that are absent stay. */
export interface UpdateTodoRequest {
  /** 1 to 2,000 characters. */
  content?: string | null;
  /** `pending`, `in_progress`, `done` or `skipped`. 409 for starting one that waits. */
  status?: string | null;
  /** At most 4,000 characters; `null` clears. */
  note?: string | null;
  /** UUID of the todo it becomes part of; `null` = none. */
  parentId?: string | null;
  /** Place among its siblings, from 0. */
  position?: number | null;
}

/** A person with an account. */
export interface User {
  /** UUID. */
  id: string;
  /** Lower case. */
  email: string;
  /** Name shown to others. */
  name: string | null;
  /** Creation time. */
  created_at: string;
}

/** What an installation offers. */
export interface VersionFeatures {
  /** `open`, `invite` or `closed`. */
  signup: string;
  /** True when the demo key is accepted. */
  demo: boolean;
  /** True when agents can have a computer. */
  computer: boolean;
  /** How MCP servers on standard input and output run: `sandbox`, `host` or `off`. */
  stdio_mcp: string;
  /** True when knowledge is also searched by meaning. */
  embeddings: boolean;
  /** Issuers whose tokens are accepted. */
  oidc: Array<string>;
}

/** What answers here. */
export interface Version {
  /** Name of the product. */
  name: string;
  /** Semantic version of this server. */
  version: string;
  /** State of the public API documentation that it follows. */
  compat: string;
  /** What this installation offers. */
  features: VersionFeatures;
}

/** Changes the fields that are sent; `null` restores a default. */
export interface WebRequest {
  /** Whether the agent has web tools at all; default false. */
  enabled?: boolean | null;
  /** Whether it has `web_search`; default true. */
  searchEnabled?: boolean | null;
  /** Whether it has `web_research`; default true. */
  researchEnabled?: boolean | null;
  /** Whether it has `web_read`; default true. */
  readEnabled?: boolean | null;
  /** Whether it has `web_crawl`; default true. */
  crawlEnabled?: boolean | null;
  /** `auto` (default: the first that is set up), `perplexity`, `brave`, `tavily` or `searxng`. */
  searchProvider?: string | null;
  /** `auto` (default: Firecrawl where it is set up, else this server), `builtin` or `firecrawl`. */
  readProvider?: string | null;
  /** Domains, with their subdomains, that searches, reads and crawls are limited to; empty = all. At most 200. */
  allowedDomains?: Array<string> | null;
  /** Domains, with their subdomains, that are left out; wins over the allowed ones. At most 200. */
  blockedDomains?: Array<string> | null;
  /** Results of a search, 1 to 20, default 5. */
  maxResults?: number | null;
  /** Pages of a crawl, 1 to 100, default 10. */
  maxPages?: number | null;
  /** Characters of a page, 1,000 to 200,000, default 20,000. */
  maxReadChars?: number | null;
}

/** What an agent may do on the web. */
export interface Web {
  /** Whether the agent has web tools at all. */
  enabled: boolean;
  /** Whether it has `web_search`. */
  search_enabled: boolean;
  /** Whether it has `web_research`. */
  research_enabled: boolean;
  /** Whether it has `web_read`. */
  read_enabled: boolean;
  /** Whether it has `web_crawl`. */
  crawl_enabled: boolean;
  /** Who is asked. */
  search_provider: string;
  /** Who reads pages. */
  read_provider: string;
  /** Domains the agent is limited to; empty = all. */
  allowed_domains: Array<string>;
  /** Domains that are left out. */
  blocked_domains: Array<string>;
  /** Results of a search. */
  max_results: number;
  /** Pages of a crawl. */
  max_pages: number;
  /** Characters of a page. */
  max_read_chars: number;
  /** Time of the last change, UTC; null when never saved. */
  updated_at: string;
}
