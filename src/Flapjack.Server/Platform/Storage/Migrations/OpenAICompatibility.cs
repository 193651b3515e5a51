using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Flapjack.Server.Platform.Storage.Migrations;

/// <summary>Threads that go by themselves, and agents that no list shows.</summary>
[DbContext(typeof(FlapjackDb))]
[Migration("0006_openai")]
internal sealed class OpenAICompatibility : ScriptMigration;
