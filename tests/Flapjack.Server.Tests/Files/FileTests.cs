using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Files;

/// <summary>Files as clients send, read and delete them.</summary>
public sealed class FileTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => world.Server.Client;

    [Fact]
    public async Task A_file_comes_back_as_it_was_sent()
    {
        var content = Samples.Png(2_500_000);
        var file = await Client.UploadAsync(content, "../evil/ünïcode photo.png").ShouldBe(201);
        file.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "name", "media_type", "size_bytes", "sha256", "thread_id", "purpose", "created_at"], ignoreOrder: true);
        (file.Text("name"), file.Text("media_type"), file.Text("purpose")).ShouldBe(("ünïcode photo.png", "image/png", "message"));
        file.GetProperty("size_bytes").GetInt64().ShouldBe(content.Length);
        file.Text("sha256").ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        (await world.GetAsync($"/api/files/{file.Text("id")}")).ToString().ShouldBe(file.ToString());

        using var whole = await Client.GetAsync($"/api/files/{file.Text("id")}/content", Token);
        (await whole.Content.ReadAsByteArrayAsync(Token)).ShouldBe(content);
        whole.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
        whole.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        whole.Content.Headers.ContentDisposition.FileNameStar.ShouldBe("ünïcode photo.png");
        whole.Header("X-Content-Type-Options").ShouldBe("nosniff");
        whole.Header("ETag").ShouldBe($"\"{file.Text("sha256")}\"");
    }

    [Theory]
    [InlineData("bytes=1048570-1048589", 1_048_570, 20)]
    [InlineData("bytes=2499990-", 2_499_990, 10)]
    [InlineData("bytes=-5", 2_499_995, 5)]
    public async Task Ranges_are_sent_across_the_pieces_a_file_is_kept_in(string range, int from, int count)
    {
        var content = Samples.Png(2_500_000);
        var id = await Client.UploadedAsync(content);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/files/{id}/content");
        request.Headers.Range = RangeHeaderValue.Parse(range);
        using var response = await Client.SendAsync(request, Token);
        ((int)response.StatusCode).ShouldBe(206);
        (await response.Content.ReadAsByteArrayAsync(Token)).ShouldBe(content[from..(from + count)]);
        response.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes {from}-{from + count - 1}/2500000");
    }

    [Fact]
    public async Task A_range_behind_the_end_is_416()
    {
        var id = await Client.UploadedAsync(Samples.Png());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/files/{id}/content");
        request.Headers.Range = RangeHeaderValue.Parse("bytes=1000-");
        using var response = await Client.SendAsync(request, Token);
        ((int)response.StatusCode).ShouldBe(416);
    }

    public static TheoryData<string, byte[], string?> Contents => new()
    {
        { "report.txt", Samples.Png(), "image/png" },
        { "x", [0xFF, 0xD8, 0xFF, 0xE0, 1, 2], "image/jpeg" },
        { "x", "GIF89a....."u8.ToArray(), "image/gif" },
        { "x", "RIFF\u0001\u0001\u0001\u0001WEBPVP8 "u8.ToArray(), "image/webp" },
        { "x.png", Samples.Pdf(), "application/pdf" },
        { "x.zip", Samples.Docx("<w:p/>"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { "x.docx", Samples.Zip(("other.xml", "<a/>")), null },
        { "x.docx", "PK\u0003\u0004 and no archive"u8.ToArray(), null },
        { "notes.md", "# Notes"u8.ToArray(), "text/markdown" },
        { "table.csv", "a;b"u8.ToArray(), "text/csv" },
        { "data.json", " {\"a\":1}"u8.ToArray(), "application/json" },
        { "data.json", "no json"u8.ToArray(), "text/plain" },
        { "page.txt", "\n<!DOCTYPE html><p>Hi"u8.ToArray(), "text/html" },
        { "ö.txt", Encoding.Latin1.GetBytes("größe"), "text/plain" },
        { "wide.txt", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("wide")).ToArray(), "text/plain" },
        { "photo.png", [0x7F, (byte)'E', (byte)'L', (byte)'F', 0, 0], null },
        { "late.txt", [.. Enumerable.Repeat((byte)'a', 1_100_000), 0], null },
    };

    [Theory, MemberData(nameof(Contents))]
    public async Task The_type_is_told_from_the_content(string name, byte[] content, string? type)
    {
        if (type is not null) (await Client.UploadAsync(content, name).ShouldBe(201)).Text("media_type").ShouldBe(type);
        else await Client.UploadAsync(content, name).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE", "file");
    }

    [Fact]
    public async Task What_is_refused_leaves_nothing_behind()
    {
        var thread = Guid.CreateVersion7().ToString();
        await using var db = world.Server.Database();
        var before = await CountAsync();
        await Client.UploadAsync([], "empty.txt").ShouldBeError(422, "VALIDATION_ERROR", "file");
        await Client.UploadAsync(Samples.Png(20 * 1024 * 1024 + 1)).ShouldBeError(413, "PAYLOAD_TOO_LARGE", "file");
        await Client.UploadAsync(Samples.Png(), "a", ("threadId", "x")).ShouldBeError(422, "VALIDATION_ERROR", "threadId");
        await Client.UploadAsync(Samples.Png(), "a", ("threadId", thread)).ShouldBeError(404, "NOT_FOUND");
        await Client.UploadAsync(Samples.Png(), "a", ("purpose", "avatar")).ShouldBeError(422, "VALIDATION_ERROR", "purpose");
        await Client.PostAsync("/api/files", Samples.Form(null, "a", ("purpose", "message")), Token).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await Client.PostAsync("/api/files", JsonText.Content("{}"), Token).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE");
        await Client.PostAsync("/api/files", JsonText.Content("nothing"u8.ToArray(), "multipart/form-data"), Token).ShouldBeError(400, "INVALID_REQUEST");
        var cut = await Samples.Form(Samples.Png(), "a").ReadAsByteArrayAsync(Token);
        var boundary = Encoding.ASCII.GetString(cut, 2, Array.IndexOf(cut, (byte)'\r') - 2);
        await Client.PostAsync("/api/files", JsonText.Content(cut[..^40], $"multipart/form-data; boundary={boundary}"), Token).ShouldBeError(400, "INVALID_REQUEST");
        await Client.PostAsync("/api/files", JsonText.Content([.. cut, .. Samples.Png(21 * 1024 * 1024)], $"multipart/form-data; boundary={boundary}"), Token).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        (await CountAsync()).ShouldBe(before);

        async Task<(int, int)> CountAsync() => (await db.Files.IgnoreQueryFilters().CountAsync(Token), await db.FileChunks.CountAsync(Token));
    }

    [Fact]
    public async Task A_deleted_file_is_gone()
    {
        var id = await Client.UploadedAsync(Samples.Png());
        (await Client.DeleteAsync($"/api/files/{id}", Token).ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        await Client.GetAsync($"/api/files/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        await Client.GetAsync($"/api/files/{id}/content", Token).ShouldBeError(404, "NOT_FOUND");
        await Client.DeleteAsync($"/api/files/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        await using var db = world.Server.Database();
        (await db.FileChunks.CountAsync(c => c.FileId == id, Token)).ShouldBe(0);
    }

    [Fact]
    public async Task Users_reach_their_own_files_and_those_of_their_threads()
    {
        var org = await world.Server.FirstOrgAsync();
        var (ada, bob) = (await UserAsync(org, "member"), await UserAsync(org, "member"));
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent, kind = "multiplayer" }, ada.Client).ShouldBe(200)).Text("id");
        var own = await ada.Client.UploadedAsync("mine"u8.ToArray(), "mine.txt");
        var shared = (await ada.Client.UploadAsync("shared"u8.ToArray(), "shared.txt", ("threadId", thread)).ShouldBe(201)).GetProperty("id").GetGuid();
        var sent = await ada.Client.UploadedAsync("sent"u8.ToArray(), "sent.txt");
        await using (var stream = await world.SendAsync(Guid.Parse(thread), new { attachments = new[] { new { type = "file", fileId = sent } } }, ada.Client)) await stream.EndAsync();

        foreach (var id in (Guid[])[own, shared, sent])
        {
            await ada.Client.GetAsync($"/api/files/{id}", Token).ShouldBe(200);
            await bob.Client.GetAsync($"/api/files/{id}/content", Token).ShouldBeError(404, "NOT_FOUND");
            await bob.Client.DeleteAsync($"/api/files/{id}", Token).ShouldBeError(404, "NOT_FOUND");
            await Client.GetAsync($"/api/files/{id}", Token).ShouldBe(200);
        }
        await bob.Client.UploadAsync(Samples.Png(), "a", ("thread_id", thread)).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync($"/api/threads/{thread}/participants", new { userId = bob.Id.ToString() }).ShouldBe(201);
        foreach (var id in (Guid[])[shared, sent]) await bob.Client.GetAsync($"/api/files/{id}", Token).ShouldBe(200);
        await bob.Client.GetAsync($"/api/files/{own}", Token).ShouldBeError(404, "NOT_FOUND");

        var viewer = await UserAsync(org, "viewer");
        await viewer.Client.UploadAsync(Samples.Png()).ShouldBeError(403, "FORBIDDEN");
        var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync("files-" + Guid.NewGuid().ToString("N")[..8]))).Text);
        await stranger.GetAsync($"/api/files/{own}", Token).ShouldBeError(404, "NOT_FOUND");
        await stranger.UploadAsync(Samples.Png(), "a", ("threadId", thread)).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Files_that_no_message_uses_go_after_a_day()
    {
        await using var own = await TurnWorld.StartAsync();
        var thread = await own.OpenAsync();
        var (unused, used) = (await own.Server.Client.UploadedAsync("a"u8.ToArray()), await own.Server.Client.UploadedAsync("b"u8.ToArray()));
        await using (var stream = await own.SendAsync(thread, new { attachments = new[] { new { type = "file", fileId = used } } })) await stream.EndAsync();
        var rounds = own.Server.Services.GetRequiredService<HousekeepingRounds>();
        own.Server.Time.Advance(TimeSpan.FromHours(23));
        await rounds.RunAsync(Token);
        await own.Server.Client.GetAsync($"/api/files/{unused}", Token).ShouldBe(200);
        own.Server.Time.Advance(TimeSpan.FromHours(2));
        await rounds.RunAsync(Token);
        await own.Server.Client.GetAsync($"/api/files/{unused}", Token).ShouldBeError(404, "NOT_FOUND");
        await own.Server.Client.GetAsync($"/api/files/{used}/content", Token).ShouldNotBeNull();
        await using var db = own.Server.Database();
        (await db.FileChunks.Select(c => c.FileId).ToListAsync(Token)).ShouldBe([used]);
    }

    [Fact]
    public async Task A_thread_takes_its_files_with_it_but_not_those_another_one_uses()
    {
        var (first, second) = (await world.OpenAsync(), await world.OpenAsync());
        var sent = (await Client.UploadAsync("x"u8.ToArray(), "x.txt", ("threadId", first.ToString())).ShouldBe(201)).GetProperty("id").GetGuid();
        var shared = (await Client.UploadAsync("y"u8.ToArray(), "y.txt", ("threadId", first.ToString())).ShouldBe(201)).GetProperty("id").GetGuid();
        await using (var stream = await world.SendAsync(first, new { attachments = new object[] { Samples.Inline("file", "z"u8.ToArray()), new { type = "file", fileId = shared } } })) await stream.EndAsync();
        await using (var stream = await world.SendAsync(second, new { attachments = new[] { new { type = "file", fileId = shared } } })) await stream.EndAsync();
        var inline = (await world.MessagesAsync(first))[0].GetProperty("attachments")[0].GetProperty("file_id").GetGuid();
        await Client.DeleteAsync($"/api/files/{inline}", Token).ShouldBeError(409, "CONFLICT");

        await Client.DeleteAsync($"/api/threads/{first}", Token).ShouldBe(200);
        foreach (var id in (Guid[])[sent, inline]) await Client.GetAsync($"/api/files/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        (await world.GetAsync($"/api/files/{shared}")).GetProperty("thread_id").GetString().ShouldBeNull();
        await Client.DeleteAsync($"/api/files/{shared}", Token).ShouldBeError(409, "CONFLICT");
        await Client.DeleteAsync($"/api/threads/{second}", Token).ShouldBe(200);
        await Client.GetAsync($"/api/files/{shared}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private async Task<(HttpClient Client, Guid Id)> UserAsync(Guid org, string role)
    {
        var mail = $"{Guid.NewGuid():N}@example.com";
        var id = await world.Server.AddUserAsync(mail, (org, role));
        return (await world.Server.ClientOfAsync(mail), id);
    }
}
