namespace Flapjack.Server.Memory.Recall;

/// <summary>How well a memory fits a question by its words, 0 to 1: two thirds for the part of the question's words that it has, rare ones weighing more, and one third for the part of its own words that the question has.</summary>
internal sealed class WordScore(string question, int memories)
{
    private readonly Dictionary<string, double> _weights = MemoryWords.Telling(question).ToDictionary(word => word, _ => WeightFor(memories, 0), StringComparer.Ordinal);

    /// <summary>Those that say something.</summary>
    public IReadOnlyCollection<string> Words => _weights.Keys;

    /// <summary>Lets a word weigh by how many memories have it.</summary>
    public void Weigh(string word, int count) => _weights[word] = WeightFor(memories, count);

    public double WeightOf(string word) => _weights[word];

    public double Of(string content)
    {
        var words = MemoryWords.Telling(content);
        var (shared, weight) = (0, 0.0);
        foreach (var word in words)
        {
            if (!_weights.TryGetValue(word, out var found)) continue;
            shared++;
            weight += found;
        }
        return shared == 0 ? 0 : (2 * weight / _weights.Values.Sum() + (double)shared / words.Count) / 3;
    }

    private static double WeightFor(int memories, int count) => Math.Log(1 + (memories + 1) / (count + 0.5));
}
