using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Documents, what they were cut into, and what was put into prompts.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0012_knowledge")]
internal sealed class AddKnowledge : ScriptMigration;
