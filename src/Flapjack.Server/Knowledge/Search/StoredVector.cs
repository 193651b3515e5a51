using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>A vector as the database keeps it: numbers of sixteen bits, which changes a cosine by less than a ten-thousandth.</summary>
internal static class StoredVector
{
    public static byte[] Of(ReadOnlySpan<float> vector)
    {
        var bytes = new byte[vector.Length * 2];
        TensorPrimitives.ConvertToHalf(vector, MemoryMarshal.Cast<byte, Half>(bytes.AsSpan()));
        return bytes;
    }

    /// <summary>The cosine with a vector of unit length; -1 for one of other dimensions.</summary>
    public static float Cosine(ReadOnlySpan<byte> stored, ReadOnlySpan<float> vector, Span<float> room)
    {
        if (stored.Length != vector.Length * 2) return -1;
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(stored), room);
        return TensorPrimitives.Dot(room[..vector.Length], vector);
    }
}
