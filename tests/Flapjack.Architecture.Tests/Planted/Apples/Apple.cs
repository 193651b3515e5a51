using Flapjack.Architecture.Tests.Planted.Pears;

namespace Flapjack.Architecture.Tests.Planted.Apples;

internal sealed class Apple
{
    public Guid Id { get; set; }

    // Half of the cycle; the other half is PearPicker.
    public static string Describe() => nameof(Apple) + PearPicker.Tool;
}
