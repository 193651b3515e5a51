/** A field of a request and what is wrong with it. */
export interface FieldError {
  field: string;
  message: string;
}

/** Why a call failed. `code` is for programs, `detail` for people. */
export class FlapjackError extends Error {
  override readonly name: string = "FlapjackError";

  /**
   * @param code The server's code (`NOT_FOUND`, `VALIDATION_ERROR`, …), or `CONNECTION_FAILED`, `STREAM_LOST` or `BAD_ANSWER` from this client.
   * @param detail What happened, if the server said so.
   * @param status The HTTP status; 0 when there was no answer.
   * @param fields The wrong fields, when there are several.
   * @param requestId The id under which the server's log has more.
   * @param retryAfterSeconds When to try again, if the server said so.
   */
  constructor(
    readonly code: string,
    readonly detail: string | undefined,
    readonly status: number,
    readonly fields: FieldError[] = [],
    readonly requestId?: string,
    readonly retryAfterSeconds?: number,
    cause?: unknown,
  ) {
    super(detail ? `${code}: ${detail}` : code, { cause });
  }

  /** Nobody answered, or the connection broke, more often than `maxRetries` allows. */
  static noConnection(cause: unknown): FlapjackError {
    return new FlapjackError("CONNECTION_FAILED", cause instanceof Error ? cause.message : String(cause), 0, [], undefined, undefined, cause);
  }

  /** What an answer that is no success says. */
  static async from(response: Response): Promise<FlapjackError> {
    const body = await response.json().catch(() => null) as { error?: unknown; detail?: string; fields?: FieldError[]; request_id?: string } | null;
    const code = typeof body?.error === "string" ? body.error : `HTTP_${response.status}`;
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    return new FlapjackError(code, body?.detail, response.status, body?.fields ?? [], body?.request_id ?? response.headers.get("x-request-id") ?? undefined, Number.isFinite(seconds) ? seconds : undefined);
  }

  /** Whether the same request may do better in a moment. */
  get isTransient(): boolean {
    return this.status === 429 || this.status === 503 || this.status === 504 || this.code === "HTTP_502" || this.code === "IDEMPOTENCY_IN_PROGRESS" || this.code === "CONNECTION_FAILED";
  }
}
