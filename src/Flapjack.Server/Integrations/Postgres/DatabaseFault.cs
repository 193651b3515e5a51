using System.Net.Sockets;
using System.Security.Authentication;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Egress;
using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Why a database could not be used, in words without host, user or anything else of the connection.</summary>
/// <param name="Code">For people who set it up: <c>CONNECT_FAILED</c>, <c>AUTH_FAILED</c>, <c>TLS_FAILED</c>, <c>TIMEOUT</c>, <c>BLOCKED_ADDRESS</c>.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="ToolCode">For models.</param>
internal sealed record DatabaseFault(string Code, string Detail, string ToolCode)
{
    private const int LongestMessage = 500;

    private static readonly DatabaseFault Slow = new("TIMEOUT", "the database did not answer in time", ToolErrors.Timeout);
    private static readonly DatabaseFault Busy = Slow with { Detail = "the database is busy with other queries of this integration" };
    private static readonly DatabaseFault Gone = new("CONNECT_FAILED", "the database cannot be reached", ToolErrors.Unreachable);
    private static readonly DatabaseFault Tls = new("TLS_FAILED", "no encrypted connection could be agreed on, or the certificate was not accepted", ToolErrors.Unreachable);
    private static readonly DatabaseFault TooLarge = new("CONNECT_FAILED", "the schemas are too large to be read; name fewer of them, or let the role read fewer tables", ToolErrors.QueryFailed);
    private static readonly DatabaseFault Login = new("AUTH_FAILED", "the database refused the login", ToolErrors.QueryFailed);

    /// <summary>Null for what is no fault of the database or the way to it.</summary>
    public static DatabaseFault? Of(Exception exception) => exception switch
    {
        EgressRefusedException refused => new("BLOCKED_ADDRESS", refused.Message, ToolErrors.BlockedAddress),
        PostgresException answer => Of(answer),
        SchemaTooLargeException => TooLarge,
        _ when IsBusy(exception) => Busy,
        TimeoutException or OperationCanceledException => Slow,
        SocketException or IOException => Gone,
        AuthenticationException => Tls,
        NpgsqlException fault => Inner(fault),
        // What the driver throws when a server does not keep to the protocol.
        InvalidOperationException or NotSupportedException or ArgumentException or FormatException or OverflowException or InvalidCastException => Gone with { Detail = "the database does not answer as PostgreSQL does" },
        _ => null,
    };

    /// <summary>All connections of a pool are in use. The driver says it in words only, around a <see cref="TimeoutException"/>.</summary>
    public static bool IsBusy(Exception exception) => exception is NpgsqlException and not PostgresException && exception.Message.Contains("exhausted", StringComparison.Ordinal);

    /// <summary>What a model reads. The network rules' own message names the host, which is nothing for a model.</summary>
    public ToolException ToToolException() => new(ToolCode, Code == "BLOCKED_ADDRESS" ? "the network rules of this server forbid the database's address" : Detail);

    private static DatabaseFault Inner(NpgsqlException fault)
    {
        for (var inner = fault.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException) return Tls;
            if (inner is TimeoutException) return Slow;
            if (inner is SocketException or IOException) return Gone;
        }
        // The driver says these two in its own words only.
        if (fault.Message.Contains("SSL", StringComparison.Ordinal) || fault.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)) return Tls;
        if (fault.Message.Contains("auth", StringComparison.OrdinalIgnoreCase) || fault.Message.Contains("channel binding", StringComparison.OrdinalIgnoreCase)) return Login;
        return Gone;
    }

    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    private static DatabaseFault Of(PostgresException answer) => answer.SqlState switch
    {
        ['2', '8', ..] => Login,
        ['3', 'D', ..] => Gone with { Detail = "the server has no such database", ToolCode = ToolErrors.QueryFailed },
        "57014" => new("TIMEOUT", "the query took too long and was ended", ToolErrors.QueryFailed),
        "55P03" => new("TIMEOUT", "the table is locked", ToolErrors.QueryFailed),
        ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] => Gone with { Detail = "the database takes no more connections, or is being shut down" },
        // Of what was asked: values that do not fit a type, rights, missing columns. Nothing of the connection stands in these.
        ['2', '2', ..] or ['2', '5', ..] or ['4', '2', ..] or ['5', '4', ..] or ['2', '1', ..] or ['P', '0', ..] => new("CONNECT_FAILED", Short(answer.MessageText), ToolErrors.QueryFailed),
        _ => new("CONNECT_FAILED", "the database reported an error", ToolErrors.QueryFailed),
    };

    private static string Short(string text) => text.Length <= LongestMessage ? text : text[..LongestMessage] + "…";
}
