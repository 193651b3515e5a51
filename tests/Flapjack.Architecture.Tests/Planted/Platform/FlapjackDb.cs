using Flapjack.Architecture.Tests.Planted.Apples;
using Flapjack.Architecture.Tests.Planted.Plums;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Architecture.Tests.Planted.Platform;

/// <summary>Allowed: the composition file of the storage.</summary>
internal sealed class FlapjackDb : DbContext
{
    public DbSet<Apple> Apples => Set<Apple>();
    public DbSet<Plum> Plums => Set<Plum>();
}

internal static class Meddler
{
    public static Guid Of(Apple apple) => apple.Id;
}
