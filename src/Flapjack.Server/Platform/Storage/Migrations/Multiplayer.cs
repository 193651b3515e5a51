using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Configs of agents, and which of a turn's agents answers.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0005_multiplayer")]
internal sealed class Multiplayer : ScriptMigration;
