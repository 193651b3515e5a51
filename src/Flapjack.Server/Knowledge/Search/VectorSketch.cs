using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>The short form of a vector that stands in memory: two bits for each number of the turned vector, and a factor that makes estimates right on average. 1,536 dimensions take 388 bytes.</summary>
/// <remarks>
/// Byte i of a row holds the numbers i, i + n/4, i + n/2 and i + 3n/4, two bits each from the lowest: unpacking is a shift and a mask. The numbers of a turned unit vector
/// are spread like a normal distribution of variance 1/n, for which four even steps are nearly as good as any four.
/// </remarks>
internal static class VectorSketch
{
    private const int FactorBytes = sizeof(float);

    // The best width of four even steps for a normal distribution.
    private const float Step = 0.9957f;

    public static int BytesOf(int dimensions) => VectorRotation.SizeOf(dimensions) / 4 + FactorBytes;

    /// <summary>Writes the sketch of a vector of unit length.</summary>
    public static void Write(ReadOnlySpan<float> vector, Span<byte> row)
    {
        var turned = VectorRotation.For(vector.Length).Turn(vector);
        var quarter = turned.Length / 4;
        var step = Step / MathF.Sqrt(turned.Length);
        var product = 0f;
        var bits = row[..quarter];
        bits.Clear();
        for (var i = 0; i < turned.Length; i++)
        {
            var code = Math.Clamp((int)MathF.Floor(turned[i] / step) + 2, 0, 3);
            bits[i % quarter] |= (byte)(code << (i / quarter * 2));
            product += (code - 1.5f) * step * turned[i];
        }
        BinaryPrimitives.WriteSingleLittleEndian(row[quarter..], product > 0 ? step / product : 0);
    }

    /// <summary>A question, held against many rows.</summary>
    internal sealed class Query
    {
        // Products of a byte and a signed byte are added in pairs of sixteen bits: this bound keeps sixteen blocks from overflowing.
        private const int Bound = 63, Blocks = 16;
        private readonly sbyte[] _numbers;
        private readonly float _scale;
        private readonly float _middle;

        public Query(ReadOnlySpan<float> vector)
        {
            var turned = VectorRotation.For(vector.Length).Turn(vector);
            var largest = TensorPrimitives.MaxMagnitude<float>(turned);
            _scale = MathF.Abs(largest) / Bound;
            _numbers = new sbyte[turned.Length];
            var sum = 0;
            for (var i = 0; i < turned.Length; i++) sum += _numbers[i] = _scale == 0 ? (sbyte)0 : (sbyte)MathF.Round(turned[i] / _scale);
            _middle = 1.5f * sum;
        }

        public int RowBytes => _numbers.Length / 4 + FactorBytes;

        /// <summary>Estimates the cosine of the question and each row.</summary>
        public void Estimate(ReadOnlySpan<byte> rows, Span<float> cosines)
        {
            var bytes = RowBytes;
            for (var i = 0; i < cosines.Length; i++)
            {
                var row = rows.Slice(i * bytes, bytes);
                var bits = row[..^FactorBytes];
                var product = Avx2.IsSupported ? Wide(bits) : Narrow(bits);
                cosines[i] = (product - _middle) * _scale * BinaryPrimitives.ReadSingleLittleEndian(row[^FactorBytes..]);
            }
        }

        // What is compiled ahead of time knows no wide vectors; compiled in haste, the first searches run five times as long.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Wide(ReadOnlySpan<byte> bits)
        {
            ref var first = ref MemoryMarshal.GetReference(bits);
            ref var numbers = ref MemoryMarshal.GetArrayDataReference(_numbers);
            var (quarter, mask, ones) = (bits.Length, Vector256.Create((byte)3), Vector256.Create((short)1));
            var total = Vector256<int>.Zero;
            for (var start = 0; start < quarter; start += Vector256<byte>.Count * Blocks)
            {
                var end = Math.Min(quarter, start + Vector256<byte>.Count * Blocks);
                var sum = Vector256<short>.Zero;
                for (var i = start; i < end; i += Vector256<byte>.Count)
                {
                    var packed = Vector256.LoadUnsafe(ref first, (nuint)i);
                    var wide = packed.AsUInt16();
                    sum += Avx2.MultiplyAddAdjacent(packed & mask, Vector256.LoadUnsafe(ref numbers, (nuint)i));
                    sum += Avx2.MultiplyAddAdjacent((wide >>> 2).AsByte() & mask, Vector256.LoadUnsafe(ref numbers, (nuint)(i + quarter)));
                    sum += Avx2.MultiplyAddAdjacent((wide >>> 4).AsByte() & mask, Vector256.LoadUnsafe(ref numbers, (nuint)(i + 2 * quarter)));
                    sum += Avx2.MultiplyAddAdjacent((wide >>> 6).AsByte() & mask, Vector256.LoadUnsafe(ref numbers, (nuint)(i + 3 * quarter)));
                }
                total += Avx2.MultiplyAddAdjacent(sum, ones);
            }
            return Vector256.Sum(total);
        }

        private int Narrow(ReadOnlySpan<byte> bits)
        {
            ref var first = ref MemoryMarshal.GetReference(bits);
            ref var numbers = ref MemoryMarshal.GetArrayDataReference(_numbers);
            var (quarter, mask) = (bits.Length, Vector128.Create((byte)3));
            var total = Vector128<int>.Zero;
            for (var i = 0; i < quarter; i += Vector128<byte>.Count)
            {
                var packed = Vector128.LoadUnsafe(ref first, (nuint)i);
                var sum = Vector128<short>.Zero;
                for (var part = 0; part < 4; part++)
                {
                    var (low, high) = Vector128.Widen(((packed.AsUInt16() >>> (2 * part)).AsByte() & mask).AsSByte());
                    var (lowNumbers, highNumbers) = Vector128.Widen(Vector128.LoadUnsafe(ref numbers, (nuint)(i + part * quarter)));
                    sum += low * lowNumbers + high * highNumbers;
                }
                var (one, other) = Vector128.Widen(sum);
                total += one + other;
            }
            return Vector128.Sum(total);
        }
    }
}
