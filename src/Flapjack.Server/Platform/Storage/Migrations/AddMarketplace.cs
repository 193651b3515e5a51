using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>How agents are presented, with their pictures, and suggestions for them.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0020_marketplace")]
internal sealed class AddMarketplace : ScriptMigration;
