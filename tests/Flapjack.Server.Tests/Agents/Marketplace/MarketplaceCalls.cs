using System.Text.Json;
using Flapjack.Server.Tests.Files;

namespace Flapjack.Server.Tests.Agents.Marketplace;

/// <summary>The calls that tests of profiles repeat.</summary>
internal static class MarketplaceCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<HttpResponseMessage> ProfileAsync(this HttpClient client, Guid agent) => client.GetAsync($"/api/agents/{agent}/marketplace", Token);

    public static Task<HttpResponseMessage> SaveProfileAsync(this HttpClient client, Guid agent, object fields) =>
        client.PutAsync($"/api/agents/{agent}/marketplace", JsonText.Content(fields as string ?? JsonSerializer.Serialize(fields)), Token);

    public static Task<HttpResponseMessage> DeleteProfileAsync(this HttpClient client, Guid agent) => client.DeleteAsync($"/api/agents/{agent}/marketplace", Token);

    public static Task<HttpResponseMessage> SendAvatarAsync(this HttpClient client, Guid agent, byte[] picture, string name = "me.png") =>
        client.PostAsync($"/api/agents/{agent}/marketplace/avatar", Samples.Form(picture, name), Token);

    public static IEnumerable<string> Passed(this JsonElement profile) =>
        profile.GetProperty("readiness").EnumerateArray().Where(c => c.GetProperty("ok").GetBoolean()).Select(c => c.GetProperty("check").GetString()!);
}
