using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Integrations;

/// <summary>Models, rows and servers that mean harm.</summary>
public sealed class HostileDatabaseTests(IntegrationWorld world) : IClassFixture<IntegrationWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly string[] Texts =
    [
        "'", "''", "'; DROP TABLE customers; --", "' OR '1'='1", "\\'; COMMIT; DELETE FROM customers; --", "$1", "$$", "$$;COMMIT;DROP TABLE customers;$$", "\"", "\"; DROP TABLE customers; --", "%", "_", "\\", "1; COMMIT; DELETE FROM customers", "0 UNION SELECT 1",
        "NULL", "/*", "*/ OR true --", "\u2019 OR 1=1", "E'\\x27'", "pg_sleep(9)", "{1,2}", "''::regclass", "x' AND (SELECT wipe()) IS NOT NULL --", "\r\n;DELETE FROM customers;", "%27", "\ud83d\ude00", "(SELECT secret FROM hidden)",
    ];

    [Fact]
    public async Task No_text_of_a_model_becomes_sql()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["customers"]));
        foreach (var text in Texts)
        {
            var value = JsonSerializer.Serialize(text);
            foreach (var op in (string[])["eq", "like", "ilike", "in"])
            {
                var result = await world.CallAsync(thread, "count_customers", $$"""{"filters":[{"column":"name","op":"{{op}}","value":{{(op == "in" ? $"[{value}]" : value)}}}]}""");
                // Nothing has such a name, except that % and a backslash at the end mean something to LIKE.
                if (op is "eq" or "in") result.GetRawText().ShouldBe("""{"count":0}""", text);
                else result.ToString().ShouldNotContain("hidden");
            }
            foreach (var column in (string[])["id", "born", "active", "mood", "extra"])
            {
                var result = await world.CallAsync(thread, "query_customers", $$"""{"columns":["id"],"filters":[{"column":"{{column}}","op":"eq","value":{{value}}}]}""");
                if (result.TryGetProperty("rows", out var rows)) rows.GetArrayLength().ShouldBe(0, $"{column}: {text}");
                else result.Text("error").ShouldBe("QUERY_FAILED", $"{column}: {text}");
            }
            foreach (var arguments in (string[])[
                $$"""{"columns":[{{value}}]}""", $$"""{"filters":[{"column":{{value}},"op":"eq","value":1}]}""", $$"""{"filters":[{"column":"id","op":{{value}},"value":1}]}""",
                $$"""{"order_by":[{"column":{{value}}}]}""", $$"""{"order_by":[{"column":"id","direction":{{value}}}]}""", $$"""{"limit":{{value}}}""", $$"""{"offset":{{value}}}""", $$"""{{{value}}:1}"""])
            {
                (await world.CallAsync(thread, "query_customers", arguments)).Text("error").ShouldBe("INVALID_ARGUMENTS", arguments);
            }
        }
        (await world.AskCustomerAsync("SELECT count(*) FROM customers")).ShouldBe(3L);
        // The row whose name is a statement is found by it.
        (await world.CallAsync(thread, "count_customers", """{"filters":[{"column":"name","op":"eq","value":"O'Hara; DROP TABLE customers; --"}]}""")).GetRawText().ShouldBe("""{"count":1}""");
    }

    [Fact]
    public async Task Random_texts_are_found_as_they_are()
    {
        IntegrationWorld.Require();
        await world.CustomerAsync("CREATE TABLE texts (id integer PRIMARY KEY, body text); GRANT SELECT ON texts TO " + world.Reader);
        var random = new Random(4711);
        var alphabet = "'\"\\;-$%_ab1 \n\t(){}[]/*:é😀".EnumerateRunes().Select(rune => rune.ToString()).ToArray();
        var texts = Enumerable.Range(0, 60).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 20)).Select(_ => alphabet[random.Next(alphabet.Length)]))).Distinct().ToList();
        for (var i = 0; i < texts.Count; i++) await world.CustomerAsync($"INSERT INTO texts VALUES ({i}, convert_from(decode('{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(texts[i]))}', 'base64'), 'UTF8'))");
        var thread = await world.OpenAsync((await world.CreateAsync("Texts"), ["texts"]));
        for (var i = 0; i < texts.Count; i++)
        {
            var result = await world.CallAsync(thread, "query_texts", $$"""{"filters":[{"column":"body","op":"eq","value":{{JsonSerializer.Serialize(texts[i])}}}]}""");
            result.GetProperty("rows").EnumerateArray().Single().GetProperty("id").GetInt32().ShouldBe(i, texts[i]);
            result.GetProperty("rows")[0].Text("body").ShouldBe(texts[i]);
        }
    }

    [Theory]
    [InlineData("""{"filters":[{"column":"id","op":"eq"}]}""", "filters[0].value: is required")]
    [InlineData("""{"filters":[{"column":"id","op":"eq","value":null}]}""", "filters[0].value: must not be null: use is_null or not_null")]
    [InlineData("""{"filters":[{"column":"id","op":"eq","value":[1]}]}""", "filters[0].value: must be a text, a number, true or false")]
    [InlineData("""{"filters":[{"column":"id","op":"in","value":1}]}""", "filters[0].value: must be a list of 1 to 100 values")]
    [InlineData("""{"filters":[{"column":"id","op":"in","value":[]}]}""", "filters[0].value: must be a list of 1 to 100 values")]
    [InlineData("""{"filters":[{"column":"id","op":"in","value":[1,null]}]}""", "filters[0].value[1]: must not be null: use is_null or not_null")]
    [InlineData("""{"filters":[{"column":"name","op":"eq","value":"\u0000"}]}""", "filters[0].value: must not contain the character U+0000")]
    public async Task Values_that_make_no_sense_are_explained(string arguments, string detail)
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["customers"]));
        var result = await world.CallAsync(thread, "count_customers", arguments);
        (result.Text("error"), result.Text("detail")).ShouldBe(("INVALID_ARGUMENTS", detail));
    }

    [Fact]
    public async Task Odd_names_of_tables_and_columns_stay_names()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["Odd \"name\" $1; --"]));
        const string column = "a \"b\" $2; DROP TABLE customers; --";
        var result = await world.CallAsync(thread, "query_Odd__name___1__--", JsonSerializer.Serialize(new { columns = new[] { column, "select" }, filters = new[] { new { column, op = "eq", value = "odd" } }, order_by = new[] { new { column } } }));
        (await world.CallAsync(thread, "count_Odd__name___1__--", "{}")).GetRawText().ShouldBe("""{"count":1}""");
        result.GetProperty("rows")[0].GetProperty(column).GetString().ShouldBe("odd", result.GetRawText());
    }

    [Fact]
    public async Task A_view_that_writes_is_stopped_by_the_transaction()
    {
        IntegrationWorld.Require();
        // Even for a role that may do everything.
        var thread = await world.OpenAsync((await world.CreateAsync("Super", world.SuperUrl), ["trap"]));
        var result = await world.CallAsync(thread, "query_trap", "{}");
        result.Text("error").ShouldBe("QUERY_FAILED");
        result.Text("detail").ShouldContain("read-only transaction");
        (await world.AskCustomerAsync("SELECT count(*) FROM customers")).ShouldBe(3L);
    }

    [Fact]
    public async Task A_slow_query_is_ended_and_the_next_one_works()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["slow", "customers"]));
        var result = await world.CallAsync(thread, "query_slow", "{}");
        (result.Text("error"), result.Text("detail")).ShouldBe(("QUERY_FAILED", "the query took too long and was ended"));
        (await world.CallAsync(thread, "count_customers", "{}")).GetRawText().ShouldBe("""{"count":3}""");
        (await world.AskCustomerAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%nap%' AND pid <> pg_backend_pid()")).ShouldBe(0L);
    }

    [Fact]
    public async Task Nothing_of_a_session_is_left_to_the_next_user()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["locks", "held"]));
        (await world.CallAsync(thread, "query_locks", "{}")).GetProperty("row_count").GetInt32().ShouldBe(1);
        (await world.CallAsync(thread, "query_held", "{}")).GetProperty("rows")[0].GetProperty("n").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task Errors_of_the_database_say_nothing_of_the_connection()
    {
        IntegrationWorld.Require();
        var integration = await world.CreateAsync("Revoked");
        var thread = await world.OpenAsync((integration, ["customers"]));
        var wrong = await world.CallAsync(thread, "count_customers", """{"filters":[{"column":"id","op":"eq","value":"x"}]}""");
        (wrong.Text("error"), wrong.Text("detail")).ShouldBe(("QUERY_FAILED", "invalid input syntax for type integer: \"x\""));
        await world.CustomerAsync($"REVOKE SELECT ON customers FROM {world.Reader}");
        (await world.CallAsync(thread, "count_customers", "{}")).Text("detail").ShouldBe("permission denied for table customers");
        await world.CustomerAsync($"GRANT SELECT ON customers TO {world.Reader}");
        // The database moves away.
        await world.World.PatchAsync($"/api/integrations/{integration.Text("id")}", new { connectionString = "postgresql://somebody:something@127.0.0.1:1/db" }).ShouldBe(200);
        var gone = await world.CallAsync(thread, "count_customers", "{}");
        gone.GetRawText().ShouldBe("""{"error":"TOOL_UNREACHABLE","detail":"the database cannot be reached"}""");
    }

    [Fact]
    public async Task A_turn_is_told_when_the_network_rules_change()
    {
        IntegrationWorld.Require();
        var integration = await world.CreateAsync("Closed");
        var thread = await world.OpenAsync((integration, ["customers"]));
        await using var strict = await TurnWorld.StartAsync();
        // The same string at a server that does not open its own machine.
        await strict.PostAsync("/api/integrations", new { name = "x", kind = "supabase", connectionString = world.Url }).ShouldBeError(422, "VALIDATION_ERROR", "connectionString");
        (await world.CallAsync(thread, "count_customers", "{}")).GetRawText().ShouldBe("""{"count":3}""");
    }

    [Fact]
    public async Task Tls_is_told_the_name_that_was_given_and_a_foreign_certificate_is_refused()
    {
        string? asked = null;
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var usable = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var created = await world.CreateAsync("Tls", $"postgresql://u:p@localhost:{port}/db?sslmode=verify-full");
        (created.Text("status"), created.Text("last_error")).ShouldBe(("error", "TLS_FAILED: no encrypted connection could be agreed on, or the certificate was not accepted"));
        listener.Stop();
        await serving;
        asked.ShouldBe("localhost");

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(Token);
                    var stream = client.GetStream();
                    await stream.ReadExactlyAsync(new byte[8], Token);
                    await stream.WriteAsync("S"u8.ToArray(), Token);
                    await using var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateSelectionCallback = (_, name) => { asked = name; return usable; } }, Token).ContinueWith(_ => { }, TaskScheduler.Default);
                }
            }
            catch (Exception exception) when (exception is SocketException or IOException or InvalidOperationException or OperationCanceledException)
            {
                // The test is over.
            }
        }
    }

    [Fact]
    public async Task A_server_that_wants_no_encryption_or_says_nothing_sensible_is_an_error_and_no_more()
    {
        foreach (var (answer, error) in ((byte[], string)[])[("N"u8.ToArray(), "TLS_FAILED"), ("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), ""), ([(byte)'E', 0x7f, 0xff, 0xff, 0xff], "")])
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var serving = ServeAsync(listener, answer);
            var created = await world.CreateAsync("Odd", $"postgresql://u:p@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/db?sslmode=require");
            created.Text("status").ShouldBe("error");
            created.Text("last_error").ShouldStartWith(error);
            listener.Stop();
            await serving;
        }

        static async Task ServeAsync(TcpListener listener, byte[] answer)
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(Token);
                    await client.GetStream().ReadExactlyAsync(new byte[8], Token);
                    await client.GetStream().WriteAsync(answer, Token);
                }
            }
            catch (Exception exception) when (exception is SocketException or IOException or InvalidOperationException or OperationCanceledException)
            {
                // The test is over.
            }
        }
    }
}
