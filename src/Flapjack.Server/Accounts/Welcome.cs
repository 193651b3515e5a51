namespace Flapjack.Server.Accounts;

/// <summary>What the first start tells the person in front of the console.</summary>
/// <param name="Email">The owner's.</param>
/// <param name="LoginToken">Null when the operator set a password.</param>
/// <param name="ApiKey">Null when the operator set the key: a secret somebody knows already need not be printed.</param>
/// <param name="AgentId">The agent to talk to.</param>
internal sealed record Welcome(string Email, string? LoginToken, string? ApiKey, Guid AgentId)
{
    /// <summary>False when the operator set everything beforehand.</summary>
    public bool HoldsSecret => LoginToken is not null || ApiKey is not null;

    /// <summary>What to do first. The commands work as pasted into a shell on this machine.</summary>
    public string Text(string publicAddress, string localAddress) => $$"""

        Flapjack is set up. This is shown once.

          {{Login(publicAddress)}}
          {{(ApiKey is null ? "API key: the one in Bootstrap:ApiKey" : $"API key: {ApiKey}")}}

        Say hello to the demo agent:

        KEY={{ApiKey ?? "'your Bootstrap:ApiKey'"}}
        THREAD=$(curl -s {{localAddress}}/api/threads -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"agentId":"{{AgentId}}"}' | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
        curl -sN {{localAddress}}/api/threads/$THREAD/messages -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"content":"How do I stream a message?"}'


        """;

    /// <summary>How to log in with a token.</summary>
    public static string Link(string publicAddress, string token) => $"{publicAddress}/login?token={token}";

    private string Login(string publicAddress) => LoginToken is null
        ? $"Log in as {Email} with the password in Bootstrap:Password."
        : $"Log in as {Email} within 24 hours, once: {Link(publicAddress, LoginToken)}\n  Link lost? Run the server's program with the argument login-link for a new one.";
}
