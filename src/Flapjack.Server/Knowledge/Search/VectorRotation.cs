using System.Collections.Concurrent;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>Turns a vector in space so that what it says is spread evenly over its numbers. Lengths and angles stay as they are.</summary>
/// <remarks>Three rounds of changing signs, mixing blocks by the Hadamard transform and shuffling. Stored sketches depend on it: it must never change.</remarks>
internal sealed class VectorRotation
{
    private const int Rounds = 3, Multiple = 128;
    private static readonly ConcurrentDictionary<int, VectorRotation> Known = new();

    private readonly int _block;
    private readonly float[][] _signs = new float[Rounds][];
    private readonly int[][] _order = new int[Rounds][];

    private VectorRotation(int size)
    {
        Size = size;
        _block = size & -size;
        var random = 0x5F1A9CACUL;
        for (var round = 0; round < Rounds; round++)
        {
            _signs[round] = new float[size];
            _order[round] = [.. Enumerable.Range(0, size)];
            // Unit blocks stay unit blocks.
            var scale = 1 / MathF.Sqrt(_block);
            for (var i = 0; i < size; i++) _signs[round][i] = (Next(ref random) & 1) == 0 ? scale : -scale;
            for (var i = size - 1; i > 0; i--)
            {
                var other = (int)(Next(ref random) % (ulong)(i + 1));
                (_order[round][i], _order[round][other]) = (_order[round][other], _order[round][i]);
            }
        }
    }

    /// <summary>How many numbers a turned vector has: those of the vector, filled up to a multiple.</summary>
    public int Size { get; }

    public static int SizeOf(int dimensions) => (dimensions + Multiple - 1) / Multiple * Multiple;

    public static VectorRotation For(int dimensions) => Known.GetOrAdd(SizeOf(dimensions), static size => new(size));

    public float[] Turn(ReadOnlySpan<float> vector)
    {
        var turned = new float[Size];
        var other = new float[Size];
        vector.CopyTo(turned);
        for (var round = 0; round < Rounds; round++)
        {
            System.Numerics.Tensors.TensorPrimitives.Multiply(turned, _signs[round], turned);
            for (var start = 0; start < Size; start += _block) Mix(turned.AsSpan(start, _block));
            var order = _order[round];
            for (var i = 0; i < order.Length; i++) other[i] = turned[order[i]];
            (turned, other) = (other, turned);
        }
        return turned;
    }

    private static void Mix(Span<float> block)
    {
        for (var half = 1; half < block.Length; half *= 2)
        {
            for (var start = 0; start < block.Length; start += half * 2)
            {
                for (var i = start; i < start + half; i++) (block[i], block[i + half]) = (block[i] + block[i + half], block[i] - block[i + half]);
            }
        }
    }

    // SplitMix64.
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ z >> 27) * 0x94D049BB133111EBUL;
        return z ^ z >> 31;
    }
}
