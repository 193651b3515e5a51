using Flapjack.Server.Accounts;
using Flapjack.Server.Agents;
using Flapjack.Server.Keys;
using Flapjack.Server.Operations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

var builder = WebApplication.CreateSlimBuilder(args);
try
{
    var settings = ServerSettings.Read(builder.Configuration);
    builder.AddPlatform(settings);
    builder.Services.AddStorage(settings);
    builder.Services.AddAccounts();
    builder.Services.AddKeys();
    builder.Services.AddAgents();
    builder.Services.AddOperations();

    var app = builder.Build();
    app.UsePlatform();
    app.MapKeys();
    app.MapAgents();
    app.MapOperations();

    await SchemaMigration.MigrateAsync(app.Services, CancellationToken.None);
    await app.RunAsync();
    return 0;
}
catch (SettingsException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
