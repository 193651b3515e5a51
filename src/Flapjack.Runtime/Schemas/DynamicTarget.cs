namespace Flapjack.Runtime.Schemas;

/// <summary>Where a <c>$dynamicRef</c> leads: to the outermost document on the way of a check that has a dynamic anchor of its name, so that a document can extend a recursive one. Without a dynamic anchor at its ordinary target it is an ordinary reference.</summary>
/// <param name="ordinary">The target as <c>$ref</c> would find it.</param>
/// <param name="resource">The document of that target.</param>
/// <param name="name">The anchor it names.</param>
internal sealed class DynamicTarget(SchemaNode[] ordinary, string resource, string name)
{
    private readonly Dictionary<string, SchemaNode> _anchors = new(StringComparer.Ordinal);

    /// <summary>Makes a dynamic anchor known.</summary>
    public void Offer(string document, string anchor, Func<SchemaNode> parse)
    {
        if (anchor == name && !_anchors.ContainsKey(document)) _anchors[document] = parse();
    }

    public SchemaNode In(SchemaCheck check)
    {
        if (!_anchors.ContainsKey(resource)) return ordinary[0];
        foreach (var document in check.Resources)
        {
            if (_anchors.TryGetValue(document, out var outermost)) return outermost;
        }
        return ordinary[0];
    }
}
