using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Files;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>Images and files in the messages of OpenAI's clients.</summary>
public sealed class CompatFileTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly string Cat = Link(Samples.Png(80)), Dog = Link(Samples.Png(90));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chat_brings_images_also_in_its_earlier_messages()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Forget();
        using var response = await world.ChatAsync(new { model, messages = new[] { Look(Cat), new { role = "assistant", content = "A cat." }, CompatCalls.User("Sure?"), new { role = "assistant", content = "Yes." }, Look(Dog) } });
        await response.ShouldBeAsync(200);
        var input = world.Upstream.LastRequest.Body.GetProperty("input").Items();
        input[0].GetRawText().ShouldBe(Shown(Cat));
        input[^1].GetRawText().ShouldBe(Shown(Dog));
        input.Length.ShouldBe(5);
        var messages = await world.MessagesAsync(response.ThreadOf());
        messages.Select(m => m.GetProperty("attachments").GetArrayLength()).ShouldBe([1, 0, 0, 0, 1, 0]);
        var file = messages[0].GetProperty("attachments")[0].GetProperty("file_id").GetGuid();
        Link(await world.Server.Client.GetByteArrayAsync($"/api/files/{file}/content", Token)).ShouldBe(Cat);

        // The thread knows them, so the next message does not bring them again.
        await world.ChatAsync(new { model, messages = new[] { CompatCalls.User("And the first?") } }, response.ThreadOf()).ShouldBe(200);
        world.Upstream.LastRequest.Body.GetProperty("input")[0].GetRawText().ShouldBe(Shown(Cat));
    }

    [Fact]
    public async Task A_question_keeps_its_image_while_functions_are_called()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Forget();
        var call = new { role = "assistant", tool_calls = new[] { new { id = "c1", type = "function", function = new { name = "pick", arguments = "{}" } } } };
        await world.CompleteAsync(new { model, messages = new[] { Look(Cat), call, new { role = "tool", tool_call_id = "c1", content = "a plum" } } });
        world.Upstream.LastRequest.Body.GetProperty("input")[0].GetRawText().ShouldBe(Shown(Cat));
    }

    [Fact]
    public async Task A_response_takes_images_and_files_and_keeps_nothing_it_was_not_to_store()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        var uploaded = await world.Server.Client.UploadedAsync("x,y"u8.ToArray(), "b.csv");
        await using var db = world.Server.Database();
        var before = await db.Files.IgnoreQueryFilters().CountAsync(Token);
        world.Upstream.Forget();
        var content = new object[]
        {
            new { type = "input_text", text = "Sum up." }, new { type = "input_image", image_url = Cat, detail = "auto" }, new { type = "input_file", file_id = uploaded },
            new { type = "input_file", filename = "a.pdf", file_data = Convert.ToBase64String(Samples.Pdf()) },
        };
        await world.RespondAsync(new { model, store = false, input = new[] { new { role = "user", content } } }).ShouldBe(200);
        var sent = world.Upstream.LastRequest.Body.GetProperty("input")[0].GetProperty("content").Items();
        sent.Select(part => part.Text("type")).ShouldBe(["input_image", "input_file", "input_file", "input_text"]);
        sent.Skip(1).Take(2).Select(part => part.Text("filename")).ShouldBe(["b.csv", "a.pdf"]);
        sent[2].Text("file_data").ShouldBe("data:application/pdf;base64," + Convert.ToBase64String(Samples.Pdf()));
        (await db.Files.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(before);
        await world.Server.Client.GetAsync($"/api/files/{uploaded}", Token).ShouldBe(200);
    }

    [Fact]
    public async Task What_a_model_cannot_be_given_is_refused_and_leaves_nothing()
    {
        var model = await world.AgentAsync();
        await using var db = world.Server.Database();
        var before = await CountAsync();
        var answer = new { role = "assistant", content = "Nice." };
        await world.ChatAsync(new { model, messages = new[] { Look(Cat) } }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages[0].content[1]");
        await world.ChatAsync(new { model, messages = new[] { Note("one"), answer, Look(Cat), answer, CompatCalls.User("hi") } }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages[2].content[1]");
        await world.ChatAsync(new { model, messages = new[] { Look(Link("text"u8.ToArray())) } }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages[0].content[1].type");
        await world.ChatAsync(new { model, messages = new[] { Look(Link([1, 2, 3])) } }).ShouldFailAsync(415, "UNSUPPORTED_MEDIA_TYPE", "messages[0].content[1].image_url.url");
        await world.ChatAsync(new { model, messages = new[] { Look("http://169.254.169.254/cat.png") } }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages[0].content[1].image_url.url");
        (await CountAsync()).ShouldBe(before);

        async Task<(int Files, int Threads)> CountAsync() => (await db.Files.IgnoreQueryFilters().CountAsync(Token), await db.Threads.IgnoreQueryFilters().CountAsync(Token));
    }

    [Fact]
    public async Task A_model_without_files_reads_the_text_of_one()
    {
        var model = await world.AgentAsync();
        var answer = await world.CompleteAsync(new { model, messages = new[] { Note("The deadline is in May."), new { role = "assistant", content = "Noted." }, CompatCalls.User("When is the deadline?") } });
        answer.TextOf().ShouldBe("The deadline is in May. [notes.txt]");
    }

    [Theory]
    [InlineData("""{"type":"input_image"}""", 422, "input[0].content[0]")]
    [InlineData("""{"type":"input_image","image_url":"https://example.com/a.png","file_id":"x"}""", 422, "input[0].content[0]")]
    [InlineData("""{"type":"input_image","image_url":"data:image/png;base64,?"}""", 422, "input[0].content[0].image_url")]
    [InlineData("""{"type":"input_image","image_url":"cat.png"}""", 422, "input[0].content[0].image_url")]
    [InlineData("""{"type":"input_file","file_id":"file-1"}""", 422, "input[0].content[0].file_id")]
    [InlineData("""{"type":"input_file","file_id":"0197a1c2-7d10-7c31-9a55-0b6f2f7f0001"}""", 404, null)]
    [InlineData("""{"type":"input_file","file_data":"?"}""", 422, "input[0].content[0].file_data")]
    [InlineData("""{"type":"input_file","file_data":"eA==","filename":" "}""", 422, "input[0].content[0].filename")]
    [InlineData("""{"type":"input_file","file_url":"ftp://example.com/a"}""", 422, "input[0].content[0].file_url")]
    [InlineData("""{"type":"file"}""", 422, "input[0].content[0].file")]
    [InlineData("""{"type":"image_url","image_url":"https://example.com/a.png"}""", 422, "input[0].content[0].image_url.url")]
    public async Task Faulty_parts(string part, int status, string? param) =>
        await world.RespondAsync($$$"""{"model":"{{{await world.AgentAsync()}}}","input":[{"role":"user","content":[{{{part}}}]}]}""").ShouldFailAsync(status, status == 404 ? "NOT_FOUND" : "VALIDATION_ERROR", param);

    [Fact]
    public async Task Too_many_are_refused()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        object image = new { type = "image_url", image_url = new { url = Cat } };
        await world.ChatAsync(new { model, messages = new[] { With(11) } }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages[0].content");
        await world.ChatAsync(new { model, messages = Enumerable.Repeat(With(10), 11) }).ShouldFailAsync(422, "VALIDATION_ERROR", "messages");

        object With(int images) => new { role = "user", content = Enumerable.Repeat(image, images) };
    }

    private static string Link(byte[] content) => "data:image/png;base64," + Convert.ToBase64String(content);

    private static object Look(string url) => new { role = "user", content = new object[] { new { type = "text", text = "Look." }, new { type = "image_url", image_url = new { url } } } };

    private static object Note(string text) => new
    {
        role = "user",
        content = new object[] { new { type = "file", file = new { filename = "notes.txt", file_data = "data:text/plain;base64," + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text)) } } },
    };

    private static string Shown(string link) => $$$"""{"role":"user","content":[{"type":"input_image","image_url":"{{{link}}}"},{"type":"input_text","text":"Look."}]}""";
}
