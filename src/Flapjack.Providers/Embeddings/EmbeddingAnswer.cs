namespace Flapjack.Providers.Embeddings;

/// <summary>Texts as vectors.</summary>
/// <param name="Vectors">One per text, in its order, of unit length.</param>
/// <param name="Tokens">What the provider counted; 0 when it counts nothing.</param>
public sealed record EmbeddingAnswer(IReadOnlyList<float[]> Vectors, long Tokens);
