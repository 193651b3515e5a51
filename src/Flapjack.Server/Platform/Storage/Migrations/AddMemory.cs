using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>What agents remember, with an index of words and the vectors.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0014_memory")]
internal sealed class AddMemory : ScriptMigration;
