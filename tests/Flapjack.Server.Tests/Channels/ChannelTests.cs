using System.Text.Json;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Channels;

/// <summary>Channels as their owners see them.</summary>
public sealed class ChannelTests(ChannelWorld world) : IClassFixture<ChannelWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("telegram", "active", """{"session_hours":24,"allowed_contacts":[],"greeting":null,"max_message_chars":4096,"reply_in_groups":"mention"}""")]
    [InlineData("slack", "pending", """{"session_hours":24,"allowed_contacts":[],"greeting":null,"max_message_chars":4000,"respond_to":["mention","dm"],"thread_replies":true}""")]
    [InlineData("whatsapp", "pending", """{"session_hours":24,"allowed_contacts":[],"greeting":null,"max_message_chars":4096}""")]
    [InlineData("webhook", "active", """{"session_hours":24,"allowed_contacts":[],"greeting":null,"max_message_chars":400000,"outbound_url":"URL","id_path":"$.from","text_path":"$.text"}""")]
    public async Task Each_kind_begins_with_its_defaults_and_shows_no_secret(string kind, string status, string config)
    {
        var channel = await world.OpenAsync(kind);
        var read = await channel.ReadAsync();
        read.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "agent_id", "kind", "name", "enabled", "status", "has_credentials", "config", "webhook_url", "last_error", "last_inbound_at", "created_at", "updated_at"]);
        (read.Text("kind"), read.Text("name"), read.Text("status"), read.GetProperty("enabled").GetBoolean(), read.GetProperty("has_credentials").GetBoolean()).ShouldBe((kind, kind, status, true, true));
        read.GetProperty("config").GetRawText().ShouldBe(config.Replace("URL", world.Providers.Url + "/app", StringComparison.Ordinal));
        read.Text("webhook_url").ShouldMatch("^https://flapjack\\.example\\.com/api/hooks/channels/[A-Za-z0-9_-]{43}$");
        var secrets = JsonSerializer.SerializeToElement(ChannelWorld.CredentialsOf(kind)).EnumerateObject().Select(p => p.Value.GetString()!).Where(s => s != FakeProviders.Number).Append(channel.Hook.Split('/')[^1]).ToList();
        foreach (var secret in secrets.SkipLast(1)) read.GetRawText().ShouldNotContain(secret);
        await using var db = world.Server.Database();
        var row = await db.Channels.IgnoreQueryFilters().SingleAsync(c => c.Id == channel.Id, Token);
        foreach (var secret in secrets) (row.Credentials + row.Token + row.TokenHash + row.Config).ShouldNotContain(secret);
    }

    [Theory]
    [InlineData("""{"credentials":{}}""", "kind")]
    [InlineData("""{"kind":"pigeon","credentials":{}}""", "kind")]
    [InlineData("""{"kind":"telegram"}""", "credentials.botToken")]
    [InlineData("""{"kind":"telegram","credentials":{"botToken":"a/../b?c"}}""", "credentials.botToken")]
    [InlineData("""{"kind":"slack","credentials":{"botToken":"xoxb-1"}}""", "credentials.signingSecret")]
    [InlineData("""{"kind":"whatsapp","credentials":{"accessToken":"E","phoneNumberId":"../me","appSecret":"s","verifyToken":"verify-me"}}""", "credentials.phoneNumberId")]
    [InlineData("""{"kind":"whatsapp","credentials":{"accessToken":"E","phoneNumberId":"1","appSecret":"s","verifyToken":"short"}}""", "credentials.verifyToken")]
    [InlineData("""{"kind":"webhook","config":{"outboundUrl":"https://example.com/"},"credentials":{"secret":"short"}}""", "credentials.secret")]
    [InlineData("""{"kind":"webhook","credentials":{"secret":"long enough to be one"}}""", "config.outboundUrl")]
    [InlineData("""{"kind":"webhook","config":{"outboundUrl":"http://10.0.0.1/"},"credentials":{"secret":"long enough to be one"}}""", "config.outboundUrl")]
    [InlineData("""{"kind":"webhook","config":{"outboundUrl":"https://example.com/","idPath":"from"},"credentials":{"secret":"long enough to be one"}}""", "config.idPath")]
    [InlineData("""{"kind":"telegram","config":{"replyInGroups":"sometimes"},"credentials":{"botToken":"1:a"}}""", "config.replyInGroups")]
    [InlineData("""{"kind":"slack","config":{"respondTo":["all"]},"credentials":{"botToken":"1","signingSecret":"s"}}""", "config.respondTo[0]")]
    [InlineData("""{"kind":"telegram","config":{"sessionHours":-1},"credentials":{"botToken":"1:a"}}""", "config.sessionHours")]
    [InlineData("""{"kind":"telegram","config":{"maxMessageChars":5000},"credentials":{"botToken":"1:a"}}""", "config.maxMessageChars")]
    [InlineData("""{"kind":"telegram","config":{"allowedContacts":["1",""]},"credentials":{"botToken":"1:a"}}""", "config.allowedContacts[1]")]
    [InlineData("""{"kind":"telegram","name":" ","credentials":{"botToken":"1:a"}}""", "name")]
    public async Task Faults_are_named_by_their_field(string body, string field)
    {
        var agent = await world.Server.CreateAgentAsync();
        await world.World.PostAsync($"/api/agents/{agent}/channels", body).ShouldBeError(422, "VALIDATION_ERROR", field);
        (await world.World.GetAsync($"/api/agents/{agent}/channels")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_change_merges_the_config_and_null_restores_a_default()
    {
        var channel = await world.OpenAsync("webhook", new { greeting = "Hello", session_hours = 2, allowedContacts = new[] { "a", "b" } });
        var changed = await world.World.PatchAsync(channel.Path, new { name = "Shop", config = new { sessionHours = (double?)null, namePath = "$.user['full name']" } }).ShouldBe(200);
        changed.Text("name").ShouldBe("Shop");
        var config = changed.GetProperty("config");
        (config.Text("greeting"), config.GetProperty("session_hours").GetDouble(), config.Text("name_path"), config.GetProperty("allowed_contacts").GetArrayLength()).ShouldBe(("Hello", 24, "$.user['full name']", 2));
        changed.Text("webhook_url").ShouldEndWith(channel.Hook);
        await world.World.PatchAsync(channel.Path, new { credentials = new { } }).ShouldBeError(422, "VALIDATION_ERROR", "credentials.secret");
        await world.World.PatchAsync(channel.Path, """{"enabled":"yes"}""").ShouldBeError(400, "INVALID_REQUEST");
    }

    [Fact]
    public async Task Telegram_is_told_where_to_send_and_when_to_stop()
    {
        await using var own = await ChannelWorld.StartAsync();
        var channel = await own.OpenAsync("telegram");
        own.Providers.Hook!.Value.Url.ShouldBe("https://flapjack.example.com" + channel.Hook);
        own.Providers.Hook.Value.Secret.ShouldMatch("^[a-z0-9]{64}$");
        (await own.World.PatchAsync(channel.Path, new { enabled = false }).ShouldBe(200)).Text("status").ShouldBe("disabled");
        own.Providers.Hook.ShouldBeNull();
        (await own.World.PatchAsync(channel.Path, new { enabled = true }).ShouldBe(200)).Text("status").ShouldBe("active");
        own.Providers.Hook.ShouldNotBeNull();
        (await own.Server.Client.DeleteAsync(channel.Path, Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        own.Providers.Hook.ShouldBeNull();
        await own.Server.Client.GetAsync(channel.Path, Token).ShouldBeError(404, "NOT_FOUND");
        await channel.SendAsync(new { update_id = 1 }).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Whoever_cannot_be_told_now_is_told_later()
    {
        await using var own = await ChannelWorld.StartAsync();
        var channel = await own.OpenAsync("telegram");
        own.Providers.IsDown = true;
        await own.Server.Client.DeleteAsync($"/api/agents/{channel.Agent}", Token).ShouldBe(200);
        await channel.SendAsync(new { update_id = 1 }).ShouldBeError(404, "NOT_FOUND");
        await own.Server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
        own.Providers.Hook.ShouldNotBeNull();
        own.Providers.IsDown = false;
        await own.Server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
        own.Providers.Hook.ShouldBeNull();
        await using var db = own.Server.Database();
        (await db.Channels.IgnoreQueryFilters().AnyAsync(c => c.Id == channel.Id, Token)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_that_telegram_refuses_shows_in_the_channel_and_can_be_replaced()
    {
        var agent = await world.Server.CreateAgentAsync();
        var channel = await world.World.PostAsync($"/api/agents/{agent}/channels", new { kind = "telegram", credentials = new { botToken = "123456:wrong" } }).ShouldBe(201);
        (channel.Text("status"), channel.Text("last_error")).ShouldBe(("error", "AUTH_FAILED: Unauthorized"));
        var path = $"/api/agents/{agent}/channels/{channel.Text("id")}";
        (await world.World.PostAsync($"{path}/test", new { }).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":false,"error":"AUTH_FAILED: Unauthorized"}""");
        var mended = await world.World.PatchAsync(path, new { credentials = new { botToken = FakeProviders.BotToken } }).ShouldBe(200);
        (mended.Text("status"), mended.GetProperty("last_error").ValueKind).ShouldBe(("active", JsonValueKind.Null));
    }

    [Theory]
    [InlineData("telegram", "@ada_bot")]
    [InlineData("slack", "ada in Analytical Engines")]
    [InlineData("whatsapp", "Ada's shop +47 90 00 00 00")]
    [InlineData("webhook", "/app answered 200")]
    public async Task A_test_says_whom_the_credentials_belong_to(string kind, string detail)
    {
        var channel = await world.OpenAsync(kind);
        var answer = await world.World.PostAsync($"{channel.Path}/test", new { }).ShouldBe(200);
        answer.GetProperty("ok").GetBoolean().ShouldBeTrue(answer.GetRawText());
        answer.Text("detail").ShouldEndWith(detail);
    }

    [Fact]
    public async Task Under_another_master_key_channels_say_that_they_cannot_be_read()
    {
        await using var own = await ChannelWorld.StartAsync();
        var channel = await own.OpenAsync("webhook");
        await own.Server.RestartAsync(settings => settings["Security:MasterKey"] = "another master key of thirty-two and more characters");
        (await channel.ReadAsync()).Text("webhook_url").ShouldEndWith("/unreadable");
        await channel.SendAsync(channel.MessageOf("a", "x", "1")).ShouldBeError(503, "SERVICE_UNAVAILABLE");
        (await own.World.PostAsync($"{channel.Path}/test", new { }).ShouldBe(200)).Text("error").ShouldStartWith("CREDENTIALS_UNREADABLE:");
        await own.World.PatchAsync(channel.Path, new { credentials = ChannelWorld.CredentialsOf("webhook") }).ShouldBe(200);
        await channel.SayAsync("700000", "/echo mended");
        (await own.ToAsync("700000")).ShouldBe(["mended"]);
    }

    [Fact]
    public async Task A_foreign_channel_answers_like_an_unknown_one()
    {
        var channel = await world.OpenAsync("webhook");
        using var key = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        foreach (var (method, path, body) in ((HttpMethod, string, string?)[])
        [
            (HttpMethod.Get, $"/api/agents/{channel.Agent}/channels", null), (HttpMethod.Post, $"/api/agents/{channel.Agent}/channels", "{}"), (HttpMethod.Get, channel.Path, null),
            (HttpMethod.Patch, channel.Path, "{}"), (HttpMethod.Delete, channel.Path, null), (HttpMethod.Post, channel.Path + "/test", "{}"), (HttpMethod.Get, channel.Path + "/contacts", null),
            (HttpMethod.Patch, $"{channel.Path}/contacts/{Guid.CreateVersion7()}", "{}"),
        ]) (await key.BodyAsync(method, path, body)).ShouldStartWith("404 ", Case.Sensitive, $"{method} {path}");
        var other = await world.Server.CreateAgentAsync();
        await world.Server.Client.GetAsync($"/api/agents/{other}/channels/{channel.Id}", Token).ShouldBeError(404, "NOT_FOUND");
        using var demo = world.Server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/agents/00000000-0000-0000-0000-0000000a6e47/channels", Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
    }
}
