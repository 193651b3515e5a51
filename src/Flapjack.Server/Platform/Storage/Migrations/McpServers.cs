using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>MCP servers, which agents have them, and authorisations that are under way.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0010_mcp")]
internal sealed class McpServers : ScriptMigration;
