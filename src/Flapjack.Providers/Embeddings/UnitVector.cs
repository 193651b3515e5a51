using System.Numerics.Tensors;

namespace Flapjack.Providers.Embeddings;

/// <summary>Vectors of length one, whose product is their cosine.</summary>
internal static class UnitVector
{
    /// <summary>The same direction with length one; a vector of zeros, or with a part that is no number, becomes one of zeros.</summary>
    public static float[] Of(float[] vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        if (!float.IsFinite(length) || length == 0)
        {
            Array.Clear(vector);
            return vector;
        }
        TensorPrimitives.Divide(vector, length, vector);
        return vector;
    }
}
