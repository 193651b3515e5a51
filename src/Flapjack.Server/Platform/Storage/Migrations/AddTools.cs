using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Webhook tools, and which agent has which.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0009_tools")]
internal sealed class AddTools : ScriptMigration;
