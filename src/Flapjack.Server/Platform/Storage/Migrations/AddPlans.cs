using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Plans of threads, their todos, and which todo waits for which.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0013_plans")]
internal sealed class AddPlans : ScriptMigration;
