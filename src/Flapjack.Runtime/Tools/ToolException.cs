namespace Flapjack.Runtime.Tools;

/// <summary>A tool call that failed in a way the model should know. The model reads <c>{"error":code,"detail":detail}</c> and the turn goes on.</summary>
public sealed class ToolException(string code, string? detail = null, Exception? inner = null) : Exception(detail ?? code, inner)
{
    /// <summary>One of <see cref="ToolErrors"/> or <c>TOOL_HTTP_&lt;status&gt;</c>.</summary>
    public string Code { get; } = code;
    /// <summary>Text for the model; untrusted, capped by the caller.</summary>
    public string? Detail { get; } = detail;
}

/// <summary>Codes a tool call can fail with.</summary>
public static class ToolErrors
{
    /// <summary>No tool of that name exists.</summary>
    public const string UnknownTool = "UNKNOWN_TOOL";
    /// <summary>The tool exists, but profile or allow-list keeps it from this turn.</summary>
    public const string NotAllowed = "TOOL_NOT_ALLOWED";
    /// <summary>The arguments are not JSON or do not meet the tool's schema.</summary>
    public const string InvalidArguments = "INVALID_ARGUMENTS";
    /// <summary>The turn has used up its tool calls.</summary>
    public const string LimitReached = "TOOL_LIMIT_REACHED";
    /// <summary>The tool did not answer in time.</summary>
    public const string Timeout = "TOOL_TIMEOUT";
    /// <summary>The user has to authorise first; an <c>auth_challenge</c> event says where.</summary>
    public const string AuthRequired = "AUTH_REQUIRED";
    /// <summary>The turn was stopped while the call ran.</summary>
    public const string Cancelled = "CANCELLED";
    /// <summary>A new user message arrived while the call waited for the client.</summary>
    public const string CancelledByUser = "CANCELLED_BY_USER";
    /// <summary>The server died between making the call and storing its result.</summary>
    public const string OutcomeUnknown = "OUTCOME_UNKNOWN";
    /// <summary>Nothing answers at the tool's address.</summary>
    public const string Unreachable = "TOOL_UNREACHABLE";
    /// <summary>The network rules forbid the tool's address.</summary>
    public const string BlockedAddress = "BLOCKED_ADDRESS";
    /// <summary>The tool answered more than a megabyte.</summary>
    public const string ResponseTooLarge = "TOOL_RESPONSE_TOO_LARGE";
    /// <summary>The tool redirected to another host.</summary>
    public const string RedirectRefused = "TOOL_REDIRECT_REFUSED";
    /// <summary>A credential the tool needs is not stored.</summary>
    public const string CredentialMissing = "CREDENTIAL_MISSING";
    /// <summary>No provider of this kind is set up.</summary>
    public const string ProviderNotConfigured = "PROVIDER_NOT_CONFIGURED";
    /// <summary>What the arguments name does not exist.</summary>
    public const string NotFound = "NOT_FOUND";
    /// <summary>What is asked for contradicts the state of things.</summary>
    public const string Conflict = "CONFLICT";
    /// <summary>A limit of the agent is reached.</summary>
    public const string LimitExceeded = "LIMIT_EXCEEDED";
    /// <summary>A database refused the query.</summary>
    public const string QueryFailed = "QUERY_FAILED";
    /// <summary>Agents call each other too deeply, or in a circle.</summary>
    public const string DelegationLimit = "DELEGATION_LIMIT";
    /// <summary>Anything else.</summary>
    public const string Failed = "TOOL_FAILED";
}
