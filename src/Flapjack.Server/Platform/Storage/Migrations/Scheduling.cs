using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>The tables of the scheduler, and an index over turns that wait for their client.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0007_scheduling")]
internal sealed class Scheduling : ScriptMigration;
