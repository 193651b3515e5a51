using System.Numerics.Tensors;
using Flapjack.Server.Knowledge.Search;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>The short forms of vectors, against what they stand for.</summary>
public sealed class VectorSketchTests
{
    [Theory]
    [InlineData(384, 100)]
    [InlineData(1_000, 260)]
    [InlineData(1_536, 388)]
    [InlineData(3_072, 772)]
    public void A_sketch_has_two_bits_a_number_and_its_factor(int dimensions, int bytes) => VectorSketch.BytesOf(dimensions).ShouldBe(bytes);

    [Theory]
    [InlineData(8)]
    [InlineData(384)]
    [InlineData(1_000)]
    [InlineData(1_536)]
    public void Turning_keeps_lengths_and_angles(int dimensions)
    {
        var random = new Random(1);
        var (one, other) = (Unit(random, dimensions), Unit(random, dimensions));
        var (turned, otherTurned) = (VectorRotation.For(dimensions).Turn(one), VectorRotation.For(dimensions).Turn(other));
        TensorPrimitives.Norm<float>(turned).ShouldBe(1, 1e-4);
        TensorPrimitives.Dot<float>(turned, otherTurned).ShouldBe(TensorPrimitives.Dot<float>(one, other), 1e-4);
    }

    [Fact]
    public void Estimates_are_near_the_cosine_and_right_on_average()
    {
        const int Dimensions = 1_536, Count = 2_000;
        var random = new Random(2);
        var question = Unit(random, Dimensions);
        var vectors = Enumerable.Range(0, Count).Select(i => Near(random, question, i % 10 / 10f)).ToList();
        var rows = new byte[VectorSketch.BytesOf(Dimensions) * Count];
        for (var i = 0; i < Count; i++) VectorSketch.Write(vectors[i], rows.AsSpan(i * VectorSketch.BytesOf(Dimensions)));
        var estimates = new float[Count];
        new VectorSketch.Query(question).Estimate(rows, estimates);
        var errors = estimates.Select((estimate, i) => (double)estimate - TensorPrimitives.Dot<float>(vectors[i], question)).ToList();
        Math.Sqrt(errors.Average(e => e * e)).ShouldBeLessThan(0.012);
        errors.Average().ShouldBe(0, 0.001);
        var stored = StoredVector.Of(vectors[7]);
        StoredVector.Cosine(stored, question, new float[Dimensions]).ShouldBe(TensorPrimitives.Dot<float>(vectors[7], question), 1e-4);
    }

    [Fact]
    public void A_vector_of_zeros_is_like_nothing()
    {
        var row = new byte[VectorSketch.BytesOf(384)];
        VectorSketch.Write(new float[384], row);
        var estimate = new float[1];
        new VectorSketch.Query(Unit(new Random(3), 384)).Estimate(row, estimate);
        estimate[0].ShouldBe(0);
        new VectorSketch.Query(new float[384]).Estimate(row, estimate);
        estimate[0].ShouldBe(0);
    }

    private static float[] Near(Random random, float[] question, float share)
    {
        var vector = Unit(random, question.Length);
        TensorPrimitives.MultiplyAdd(question, share * 2, vector, vector);
        return Normal(vector);
    }

    private static float[] Unit(Random random, int dimensions) =>
        Normal([.. Enumerable.Range(0, dimensions).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))]);

    private static float[] Normal(float[] vector)
    {
        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        return vector;
    }
}
