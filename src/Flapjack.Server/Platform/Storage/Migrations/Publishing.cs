using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Published agents, the threads of their visitors, and sessions of MCP clients.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0011_publishing")]
internal sealed class Publishing : ScriptMigration;
