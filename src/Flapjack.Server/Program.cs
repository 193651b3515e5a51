using Flapjack.Server.Accounts;
using Flapjack.Server.Agents;
using Flapjack.Server.Delegation;
using Flapjack.Server.Credentials;
using Flapjack.Server.Files;
using Flapjack.Server.Keys;
using Flapjack.Server.Logs;
using Flapjack.Server.Models;
using Flapjack.Server.OpenAICompat;
using Flapjack.Server.Operations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Tools;

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
    builder.Services.AddDelegation();
    builder.Services.AddCredentials();
    builder.Services.AddLogs();
    builder.Services.AddFiles();
    builder.Services.AddTools();
    builder.Services.AddThreads();
    builder.Services.AddOpenAICompat();
    builder.Services.AddOperations();

    var app = builder.Build();
    app.UsePlatform();
    app.MapAccounts();
    app.MapKeys();
    app.MapModels();
    app.MapAgents();
    app.MapDelegation();
    app.MapCredentials();
    app.MapLogs();
    app.MapFiles();
    app.MapTools();
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
