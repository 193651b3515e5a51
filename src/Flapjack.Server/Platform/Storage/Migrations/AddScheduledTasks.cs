using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Prompts that agents are given at certain times.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0018_scheduled_tasks")]
internal sealed class AddScheduledTasks : ScriptMigration;
