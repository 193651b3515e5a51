using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Configs of agents, and how many of a turn's agents have answered.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0005_multiplayer")]
internal sealed class Multiplayer : ScriptMigration;
