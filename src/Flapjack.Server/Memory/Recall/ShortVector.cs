namespace Flapjack.Server.Memory.Recall;

/// <summary>Vectors as they are stored: a signed byte a dimension, the greatest being 127. A quarter of the room, and cosines differ from the third decimal on.</summary>
internal static class ShortVector
{
    public static byte[] Of(ReadOnlySpan<float> vector)
    {
        var greatest = 0f;
        foreach (var value in vector) greatest = Math.Max(greatest, Math.Abs(value));
        var bytes = new byte[vector.Length];
        if (greatest > 0) for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(sbyte)MathF.Round(vector[i] / greatest * 127);
        return bytes;
    }

    /// <summary>Cosine of two stored vectors, 0 at least; 0 for vectors of different length.</summary>
    public static double Cosine(byte[] one, byte[] other)
    {
        if (one.Length != other.Length) return 0;
        long dot = 0, first = 0, second = 0;
        for (var i = 0; i < one.Length; i++)
        {
            var (a, b) = ((int)(sbyte)one[i], (int)(sbyte)other[i]);
            dot += a * b;
            first += a * a;
            second += b * b;
        }
        return first == 0 || second == 0 ? 0 : Math.Max(0, dot / Math.Sqrt((double)first * second));
    }
}
