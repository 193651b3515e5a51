import type { FlapjackEvent } from "./events.js";
import { newKey, Transport, type ClientOptions } from "./transport.js";
import { TurnReader, type TurnOptions } from "./turn.js";
import type * as Wire from "./types.js";

/** A page of a list that is an array. */
export type Page = { limit?: number; offset?: number };

/** What to say, with the tools that run here. Without `onDisconnect` the turn outlives a lost connection, and is stopped when its reader leaves. */
export type Message = Omit<Wire.MessageRequest, "stream"> & TurnOptions;

export interface Upload {
  /** Name of the file; for a `File` its own. */
  name?: string;
  /** The thread that it is for. */
  threadId?: string;
}

type Query = Record<string, string | number | boolean | undefined>;
const part = encodeURIComponent;

/** A Flapjack server. Methods have the names of the API's operations and throw `FlapjackError`. */
export class FlapjackClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  // --- agents ---

  listAgents(query: Page & { q?: string; projectId?: string } = {}): Promise<Wire.Agent[]> { return this.#get("/api/agents", query); }
  createAgent(agent: Wire.AgentRequest): Promise<Wire.Agent> { return this.#post("/api/agents", agent); }
  getAgent(agentId: string): Promise<Wire.Agent> { return this.#get(`/api/agents/${part(agentId)}`); }
  /** What is absent stays as it is, null clears. */
  updateAgent(agentId: string, changes: Wire.AgentRequest): Promise<Wire.Agent> { return this.#patch(`/api/agents/${part(agentId)}`, changes); }
  deleteAgent(agentId: string): Promise<Wire.Deleted> { return this.#delete(`/api/agents/${part(agentId)}`); }
  getAgentMultiplayer(agentId: string): Promise<Wire.Multiplayer> { return this.#get(`/api/agents/${part(agentId)}/multiplayer`); }
  updateAgentMultiplayer(agentId: string, config: Wire.MultiplayerRequest): Promise<Wire.Multiplayer> { return this.#put(`/api/agents/${part(agentId)}/multiplayer`, config); }

  // --- threads ---

  listThreads(query: { agentId: string; limit?: number; cursor?: string; status?: "active" | "archived" | "all"; userId?: string; scope?: "own" | "org" }): Promise<Wire.ThreadPage> { return this.#get("/api/threads", query); }
  createThread(thread: Wire.CreateThreadRequest): Promise<Wire.Thread> { return this.#post("/api/threads", thread); }
  getThread(threadId: string): Promise<Wire.Thread> { return this.#get(`/api/threads/${part(threadId)}`); }
  updateThread(threadId: string, changes: Wire.UpdateThreadRequest): Promise<Wire.Thread> { return this.#patch(`/api/threads/${part(threadId)}`, changes); }
  deleteThread(threadId: string): Promise<Wire.Deleted> { return this.#delete(`/api/threads/${part(threadId)}`); }
  forkThread(threadId: string, fork: Wire.ForkRequest = {}): Promise<Wire.Thread> { return this.#post(`/api/threads/${part(threadId)}/fork`, fork); }
  listParticipants(threadId: string): Promise<Wire.Participant[]> { return this.#get(`/api/threads/${part(threadId)}/participants`); }
  addParticipant(threadId: string, participant: Wire.ParticipantRequest): Promise<Wire.Participant> { return this.#post(`/api/threads/${part(threadId)}/participants`, participant); }
  removeParticipant(threadId: string, userId: string): Promise<Wire.Deleted> { return this.#delete(`/api/threads/${part(threadId)}/participants`, { userId }); }

  // --- messages ---

  /** Sends a message and gives the events of its turn, over broken connections. Leaving the loop or aborting `signal` stops the turn. */
  sendMessage(threadId: string, message: Message): AsyncGenerator<FlapjackEvent, void, undefined> {
    const { onToolCall, signal, ...request } = message;
    return new TurnReader(this.#transport, threadId, { onToolCall, signal }).send(request);
  }

  /** The events of the running turn from its beginning, none when nothing runs; or of any recent turn from behind `lastEventId`. Leaving does not stop it. */
  attachStream(threadId: string, options: TurnOptions & { lastEventId?: string } = {}): AsyncGenerator<FlapjackEvent, void, undefined> {
    return new TurnReader(this.#transport, threadId, options).attach(options.lastEventId ?? "");
  }

  stopThread(threadId: string): Promise<Wire.Deleted> { return this.#post(`/api/threads/${part(threadId)}/stop`); }
  listMessages(threadId: string, query: Page & { order?: "asc" | "desc"; include?: "tools" } = {}): Promise<Wire.MessagePage> { return this.#get(`/api/threads/${part(threadId)}/messages`, query); }
  listMessageSources(threadId: string, messageId: string): Promise<Wire.MessageSources> { return this.#get(`/api/threads/${part(threadId)}/messages/${part(messageId)}/sources`); }

  // --- files ---

  /** Uploads a file, for the attachments of messages. */
  async uploadFile(file: Blob, options: Upload = {}): Promise<Wire.FileInfo> {
    const form = new FormData();
    form.append("file", file, options.name ?? (file as { name?: string }).name ?? "file");
    if (options.threadId) form.append("threadId", options.threadId);
    // Written down once: a repeat under the same key has to be the same bytes.
    const written = new Response(form);
    const bytes = { type: written.headers.get("content-type") ?? "", body: await written.arrayBuffer() };
    return this.#transport.json({ method: "POST", path: "/api/files", bytes, idempotencyKey: newKey() });
  }

  getFile(fileId: string): Promise<Wire.FileInfo> { return this.#get(`/api/files/${part(fileId)}`); }
  getFileContent(fileId: string): Promise<Blob> { return this.#transport.blob({ method: "GET", path: `/api/files/${part(fileId)}/content` }); }
  deleteFile(fileId: string): Promise<Wire.Deleted> { return this.#delete(`/api/files/${part(fileId)}`); }

  // --- keys, models, providers ---

  listKeys(query: Page = {}): Promise<Wire.KeyListItem[]> { return this.#get("/api/keys", query); }
  createKey(key: Wire.KeyRequest): Promise<Wire.NewKey> { return this.#post("/api/keys", key); }
  revokeKey(keyId: string): Promise<Wire.Deleted> { return this.#delete(`/api/keys/${part(keyId)}`); }
  listModels(query: Page & { available?: boolean } = {}): Promise<Wire.Model[]> { return this.#get("/api/models", query); }
  listProviders(query: Page = {}): Promise<Wire.Provider[]> { return this.#get("/api/providers", query); }
  putProvider(provider: string, settings: Wire.ProviderRequest): Promise<Wire.Provider> { return this.#put(`/api/providers/${part(provider)}`, settings); }
  deleteProvider(provider: string): Promise<Wire.Deleted> { return this.#delete(`/api/providers/${part(provider)}`); }
  testProvider(provider: string, test: Wire.ProviderTestRequest = {}): Promise<Wire.ProviderTest> { return this.#post(`/api/providers/${part(provider)}/test`, test); }

  // --- logs ---

  /** Traces, newest first. Filters have the API's names: `agentId`, `threadId`, `status`, `q`, `from`, `to`, `tag`, `userId`, `minCostUsd`. */
  listTraces(query: { limit?: number; cursor?: string; agentId?: string; threadId?: string; status?: "all" | "running" | "ok" | "error"; q?: string; from?: string; to?: string; tag?: string; userId?: string; minCostUsd?: number } = {}): Promise<Wire.TraceList> { return this.#get("/api/logs", query); }
  getTrace(traceId: string): Promise<Wire.TraceDetail> { return this.#get(`/api/logs/${part(traceId)}`); }
  createEvaluation(traceId: string, evaluation: Wire.EvaluationRequest): Promise<Wire.Evaluation> { return this.#post(`/api/logs/${part(traceId)}/evaluations`, evaluation); }
  deleteEvaluation(traceId: string, evaluationId: string): Promise<Wire.Deleted> { return this.#delete(`/api/logs/${part(traceId)}/evaluations/${part(evaluationId)}`); }

  // --- accounts and organisations ---

  signUp(account: Wire.SignupRequest): Promise<Wire.Session> { return this.#once("/api/auth/signup", account); }
  login(login: Wire.LoginRequest): Promise<Wire.Session> { return this.#once("/api/auth/login", login); }
  /** A refresh token works once, so this is never repeated by itself. */
  refreshSession(refreshToken: string): Promise<Wire.Session> { return this.#once("/api/auth/refresh", { refreshToken }); }
  logout(options: Wire.LogoutRequest = {}): Promise<Wire.Deleted> { return this.#post("/api/auth/logout", options); }
  getMe(): Promise<Wire.Me> { return this.#get("/api/auth/me"); }
  updateMe(changes: Wire.MePatch): Promise<Wire.Me> { return this.#patch("/api/auth/me", changes); }

  listOrgs(query: Page = {}): Promise<Wire.Org[]> { return this.#get("/api/orgs", query); }
  createOrg(org: Wire.OrgRequest): Promise<Wire.Org> { return this.#post("/api/orgs", org); }
  getOrg(orgId: string): Promise<Wire.Org> { return this.#get(`/api/orgs/${part(orgId)}`); }
  updateOrg(orgId: string, changes: Wire.OrgRequest): Promise<Wire.Org> { return this.#patch(`/api/orgs/${part(orgId)}`, changes); }
  /** `confirm` is the organisation's slug. */
  deleteOrg(orgId: string, confirm: string): Promise<Wire.Deleted> { return this.#delete(`/api/orgs/${part(orgId)}`, { confirm }); }
  listMembers(orgId: string, query: Page = {}): Promise<Wire.Member[]> { return this.#get(`/api/orgs/${part(orgId)}/members`, query); }
  addMember(orgId: string, member: Wire.MemberRequest): Promise<Wire.Member> { return this.#post(`/api/orgs/${part(orgId)}/members`, member); }
  updateMember(orgId: string, userId: string, changes: Wire.MemberPatch): Promise<Wire.Member> { return this.#patch(`/api/orgs/${part(orgId)}/members/${part(userId)}`, changes); }
  removeMember(orgId: string, userId: string): Promise<Wire.Deleted> { return this.#delete(`/api/orgs/${part(orgId)}/members/${part(userId)}`); }
  createLoginLink(orgId: string, userId: string, link: Wire.LoginLinkRequest = {}): Promise<Wire.LoginLink> { return this.#post(`/api/orgs/${part(orgId)}/members/${part(userId)}/login-link`, link); }
  listInvites(orgId: string, query: Page = {}): Promise<Wire.Invite[]> { return this.#get(`/api/orgs/${part(orgId)}/invites`, query); }
  createInvite(orgId: string, invite: Wire.InviteRequest): Promise<Wire.NewInvite> { return this.#post(`/api/orgs/${part(orgId)}/invites`, invite); }
  deleteInvite(orgId: string, inviteId: string): Promise<Wire.Deleted> { return this.#delete(`/api/orgs/${part(orgId)}/invites/${part(inviteId)}`); }
  getSigningSecret(orgId: string): Promise<Wire.SigningSecret> { return this.#get(`/api/orgs/${part(orgId)}/signing-secret`); }
  rotateSigningSecret(orgId: string, secret: Wire.SigningSecretRequest = {}): Promise<Wire.NewSigningSecret> { return this.#post(`/api/orgs/${part(orgId)}/signing-secret/rotate`, secret); }

  // --- the server ---

  version(): Promise<Wire.Version> { return this.#get("/api/version"); }

  #get<T>(path: string, query: Query = {}): Promise<T> { return this.#transport.json({ method: "GET", path, query }); }
  #post<T>(path: string, json: unknown = {}): Promise<T> { return this.#transport.json({ method: "POST", path, json, idempotencyKey: newKey() }); }
  #once<T>(path: string, json: unknown): Promise<T> { return this.#transport.json({ method: "POST", path, json }); }
  #put<T>(path: string, json: unknown): Promise<T> { return this.#transport.json({ method: "PUT", path, json }); }
  #patch<T>(path: string, json: unknown): Promise<T> { return this.#transport.json({ method: "PATCH", path, json }); }
  #delete<T>(path: string, json?: unknown): Promise<T> { return this.#transport.json({ method: "DELETE", path, json }); }
}
