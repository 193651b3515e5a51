using Flapjack.Server.Accounts;
using Flapjack.Server.Agents;
using Flapjack.Server.Files;
using Flapjack.Server.Integrations;
using Flapjack.Server.Keys;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Knowledge.Extraction.Processes;
using Flapjack.Server.Logs;
using Flapjack.Server.Models;
using Flapjack.Server.OpenAICompat;
using Flapjack.Server.Operations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Web;

// A document is read by a process of its own, which begins here and ends here.
if (ExtractionCommand.IsMeant(args)) return ExtractionCommand.Run(args);

var builder = WebApplication.CreateSlimBuilder(args);
try
{
    var settings = ServerSettings.Read(builder.Configuration);
    builder.AddPlatform(settings);
    builder.Services.AddStorage(settings);
    builder.Services.AddAccounts();
    builder.Services.AddKeys();
    builder.Services.AddModels();
    builder.Services.AddAgents();
    builder.Services.AddWeb();
    builder.Services.AddIntegrations();
    builder.Services.AddLogs();
    builder.Services.AddFiles();
    builder.Services.AddExtraction();
    builder.Services.AddThreads();
    builder.Services.AddOpenAICompat();
    builder.Services.AddOperations();

    var app = builder.Build();
    app.UsePlatform();
    app.MapAccounts();
    app.MapKeys();
    app.MapModels();
    app.MapAgents();
    app.MapWeb();
    app.MapIntegrations();
    app.MapLogs();
    app.MapFiles();
    app.MapThreads();
    app.MapOpenAICompat();
    app.MapOperations();

    await SchemaMigration.MigrateAsync(app.Services, CancellationToken.None);
    if (LoginLinkCommand.IsMeant(args)) return await LoginLinkCommand.RunAsync(app, CancellationToken.None);
    await FirstStart.RunAsync(app, CancellationToken.None);
    await app.RunAsync();
    return 0;
}
catch (SettingsException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
