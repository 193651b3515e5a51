using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Counts the changes of what an agent has been given.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0008_equipment")]
internal sealed class Equipment : ScriptMigration;
