using Flapjack.Server.A2A;
using Flapjack.Server.Accounts;
using Flapjack.Server.Agents;
using Flapjack.Server.Channels;
using Flapjack.Server.Credentials;
using Flapjack.Server.Delegation;
using Flapjack.Server.Files;
using Flapjack.Server.Integrations;
using Flapjack.Server.Keys;
using Flapjack.Server.Knowledge;
using Flapjack.Server.Knowledge.Extraction.Processes;
using Flapjack.Server.Logs;
using Flapjack.Server.Mcp;
using Flapjack.Server.McpServer;
using Flapjack.Server.Memory;
using Flapjack.Server.Models;
using Flapjack.Server.OpenAICompat;
using Flapjack.Server.Operations;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Plans;
using Flapjack.Server.PublicChat;
using Flapjack.Server.ScheduledTasks;
using Flapjack.Server.Threads;
using Flapjack.Server.Tools;
using Flapjack.Server.Web;

// A document is read by a process of its own, which begins here and ends here.
if (ExtractionCommand.IsMeant(args)) return ExtractionCommand.Run(args);

// Settings are read once. Watching their files would mean watching every folder below the one the server is started in.
var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", .. args]);
try
{
    var settings = ServerSettings.Read(builder.Configuration);
    builder.AddPlatform(settings);
    builder.Services.AddStorage(settings);
    builder.Services.AddAccounts();
    builder.Services.AddKeys();
    builder.Services.AddModels();
    builder.Services.AddCredentials();
    builder.Services.AddAgents();
    builder.Services.AddLogs();
    // Before the threads: what ends with an agent ends in this order.
    builder.Services.AddScheduledTasks();
    builder.Services.AddFiles();
    builder.Services.AddThreads();
    // What gives tools to agents. On equal names the first wins: what is built in, delegated, webhooks, MCP servers, databases. Their parts of the prompt have the same order.
    builder.Services.AddMemory();
    builder.Services.AddKnowledge();
    builder.Services.AddPlans();
    builder.Services.AddWeb();
    builder.Services.AddDelegation();
    builder.Services.AddTools();
    builder.Services.AddMcp();
    builder.Services.AddIntegrations();
    // Further doors to the same threads.
    builder.Services.AddOpenAICompat();
    builder.Services.AddPublicChat();
    builder.Services.AddMcpServer();
    builder.Services.AddA2A();
    builder.Services.AddChannels();
    builder.Services.AddOperations();

    var app = builder.Build();
    app.UsePlatform();
    app.MapAccounts();
    app.MapKeys();
    app.MapModels();
    app.MapCredentials();
    app.MapAgents();
    app.MapLogs();
    app.MapFiles();
    app.MapThreads();
    app.MapMemory();
    app.MapPlans();
    app.MapScheduledTasks();
    app.MapKnowledge();
    app.MapWeb();
    app.MapDelegation();
    app.MapTools();
    app.MapMcp();
    app.MapIntegrations();
    app.MapOpenAICompat();
    app.MapPublicChat();
    app.MapMcpServer();
    app.MapA2A();
    app.MapChannels();
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
