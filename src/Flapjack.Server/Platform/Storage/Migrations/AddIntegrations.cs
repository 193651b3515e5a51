using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Databases that agents read, and which agent was given which.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0015_integrations")]
internal sealed class AddIntegrations : ScriptMigration;
