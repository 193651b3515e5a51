using Flapjack.Architecture.Tests.Planted.Apples;

namespace Flapjack.Architecture.Tests.Planted.Plums;

internal sealed class Plum
{
    public Guid AppleId { get; set; }

    public List<Apple> Neighbours { get; } = [];
}
