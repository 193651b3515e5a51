using System.Globalization;
using System.Text.Json;

namespace Flapjack.Server.Web.Tools;

/// <summary>What a model sees of the web tools.</summary>
internal static class WebSchemas
{
    public static readonly JsonElement Research = Parse("""
        {"type":"object","additionalProperties":false,"required":["question"],"properties":{
          "question":{"type":"string"},"depth":{"type":"string","enum":["quick","standard","deep"]}}}
        """);

    public static JsonElement Search(WebConfig config) => Parse("""
        {"type":"object","additionalProperties":false,"required":["query"],"properties":{
          "query":{"type":"string"},"max_results":{"type":"integer","minimum":1,"maximum":20,"default":DEFAULT},
          "recency":{"type":"string","enum":["day","week","month","year"]},"domains":{"type":"array","items":{"type":"string"}}}}
        """, config.MaxResults);

    public static JsonElement Read(WebConfig config) => Parse("""
        {"type":"object","additionalProperties":false,"required":["url"],"properties":{
          "url":{"type":"string"},"max_chars":{"type":"integer","default":DEFAULT}}}
        """, config.MaxReadChars);

    public static JsonElement Crawl(WebConfig config) => Parse("""
        {"type":"object","additionalProperties":false,"required":["url"],"properties":{
          "url":{"type":"string"},"max_pages":{"type":"integer","default":DEFAULT},
          "include":{"type":"array","items":{"type":"string"}},"exclude":{"type":"array","items":{"type":"string"}}}}
        """, config.MaxPages);

    private static JsonElement Parse(string json, int standard = 0)
    {
        using var document = JsonDocument.Parse(json.Replace("DEFAULT", standard.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        return document.RootElement.Clone();
    }
}
