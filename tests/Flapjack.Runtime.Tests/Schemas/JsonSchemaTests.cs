using System.Text.Json;
using Flapjack.Runtime.Schemas;

namespace Flapjack.Runtime.Tests.Schemas;

public sealed class JsonSchemaTests
{
    /// <summary>Keyword by keyword: a schema, a value it accepts, a value it refuses.</summary>
    [Theory]
    [InlineData("""false""", null, "1")]
    [InlineData("""{"type":"integer"}""", "1.0", "1.5")]
    [InlineData("""{"type":["string","null"]}""", "null", "1")]
    [InlineData("""{"type":"number"}""", "1e300", "\"1\"")]
    [InlineData("""{"type":"boolean"}""", "true", "0")]
    [InlineData("""{"enum":["a",1,{"b":[2]}]}""", "{\"b\":[2.0]}", "\"b\"")]
    [InlineData("""{"const":{"a":1,"b":2}}""", "{\"b\":2,\"a\":1}", "{\"a\":1}")]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", "{\"a\":\"x\",\"b\":1}", "{\"a\":1}")]
    [InlineData("""{"required":["a"]}""", "{\"a\":null}", "{}")]
    [InlineData("""{"properties":{"a":true},"patternProperties":{"^x":true},"additionalProperties":false}""", "{\"a\":1,\"xy\":2}", "{\"b\":1}")]
    [InlineData("""{"additionalProperties":{"type":"integer"}}""", "{\"a\":1}", "{\"a\":\"b\"}")]
    [InlineData("""{"patternProperties":{"^i_":{"type":"integer"}}}""", "{\"i_a\":1,\"b\":\"c\"}", "{\"i_a\":\"b\"}")]
    [InlineData("""{"propertyNames":{"maxLength":2}}""", "{\"ab\":1}", "{\"abc\":1}")]
    [InlineData("""{"minProperties":1}""", "{\"a\":1}", "{}")]
    [InlineData("""{"maxProperties":1}""", "{\"a\":1}", "{\"a\":1,\"b\":2}")]
    [InlineData("""{"dependentRequired":{"a":["b"]}}""", "{\"b\":1}", "{\"a\":1}")]
    [InlineData("""{"dependentSchemas":{"a":{"required":["b"]}}}""", "{\"a\":1,\"b\":2}", "{\"a\":1}")]
    [InlineData("""{"items":{"type":"integer"}}""", "[1,2]", "[1,\"2\"]")]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", "[\"a\"]", "[\"a\",1]")]
    [InlineData("""{"items":[{"type":"string"}],"additionalItems":false}""", "[\"a\"]", "[\"a\",1]")]
    [InlineData("""{"contains":{"const":1}}""", "[0,1]", "[0]")]
    [InlineData("""{"contains":{"const":1},"minContains":2}""", "[1,1]", "[1]")]
    [InlineData("""{"contains":{"const":1},"maxContains":1}""", "[1,2]", "[1,1]")]
    [InlineData("""{"minItems":1}""", "[1]", "[]")]
    [InlineData("""{"maxItems":1}""", "[1]", "[1,2]")]
    [InlineData("""{"uniqueItems":true}""", "[1,\"1\",true,[1],{\"a\":1}]", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]")]
    [InlineData("""{"minimum":1.1}""", "1.1", "1")]
    [InlineData("""{"maximum":3}""", "3.0", "3.01")]
    [InlineData("""{"exclusiveMinimum":1}""", "1.01", "1")]
    [InlineData("""{"exclusiveMaximum":3}""", "2.99", "3")]
    [InlineData("""{"multipleOf":0.01}""", "19.99", "0.005")]
    [InlineData("""{"minLength":2}""", "\"ab\"", "\"😀\"")]
    [InlineData("""{"maxLength":1}""", "\"😀\"", "\"ab\"")]
    [InlineData("""{"pattern":"^\\d+$"}""", "\"12\"", "\"12\\n\"")]
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":3}]}""", "2", "4")]
    [InlineData("""{"anyOf":[{"type":"string"},{"minimum":3}]}""", "3", "2")]
    [InlineData("""{"oneOf":[{"minimum":2},{"maximum":3}]}""", "1", "2")]
    [InlineData("""{"not":{"type":"string"}}""", "1", "\"a\"")]
    [InlineData("""{"if":{"minimum":5},"then":{"multipleOf":2},"else":{"const":1}}""", "6", "7")]
    [InlineData("""{"if":{"minimum":5},"then":{"multipleOf":2},"else":{"const":1}}""", "1", "2")]
    [InlineData("""{"$ref":"#/$defs/a%25~1b","$defs":{"a%/b":{"type":"string"}}}""", "\"a\"", "1")]
    [InlineData("""{"$ref":"#here","$defs":{"x":{"$anchor":"here","type":"string"}}}""", "\"a\"", "1")]
    [InlineData("""{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}""", "{\"next\":{\"next\":{}}}", "{\"next\":{\"other\":1}}")]
    [InlineData("""{"$id":"https://example.com/a","$ref":"b","$defs":{"x":{"$id":"b","type":"string"}}}""", "\"a\"", "1")]
    [InlineData("""{"allOf":[{"properties":{"a":true}}],"patternProperties":{"^x":true},"unevaluatedProperties":false}""", "{\"a\":1,\"x\":2}", "{\"a\":1,\"b\":2}")]
    [InlineData("""{"anyOf":[{"properties":{"a":true},"required":["a"]},{"properties":{"b":true},"required":["b"]}],"unevaluatedProperties":false}""", "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}")]
    [InlineData("""{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}""", "{}", "{\"a\":1}")]
    [InlineData("""{"properties":{"a":{"properties":{"b":true}}},"unevaluatedProperties":false}""", "{\"a\":{}}", "{\"a\":{\"b\":1},\"b\":1}")]
    [InlineData("""{"if":{"properties":{"a":{"const":1}},"required":["a"]},"unevaluatedProperties":{"type":"string"}}""", "{\"a\":1,\"b\":\"c\"}", "{\"a\":2}")]
    [InlineData("""{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}""", "[1,\"a\"]", "[1,\"a\",2]")]
    [InlineData("""{"$ref":"#/$defs/pair","unevaluatedItems":{"type":"null"},"$defs":{"pair":{"prefixItems":[true,true]}}}""", "[1,2,null]", "[1,2,3]")]
    [InlineData("""{"$id":"https://example.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"next":{"$dynamicRef":"#node"}}}}}""", "{\"next\":{\"next\":{}}}", "{\"next\":{\"other\":1}}")]
    [InlineData("""{"$ref":"tree","$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"next":{"$dynamicRef":"#node"}},"type":"object"}}}""", "{\"next\":{\"other\":1}}", "{\"next\":1}")]
    [InlineData("""{"format":"email","type":"string"}""", "\"nobody\"", "1")]
    public void Keywords(string schema, string? accepted, string refused)
    {
        var parsed = JsonSchema.Parse(Json(schema));
        parsed.Problems.ShouldBeEmpty();
        if (accepted is not null) parsed.Validate(Json(accepted)).Errors.ShouldBeEmpty();
        parsed.Validate(Json(refused)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public void Mistakes_name_their_place_and_all_are_told()
    {
        var schema = JsonSchema.Parse(Json("""{"properties":{"a":{"items":{"type":"integer"}},"b/c":{"enum":["x","y"]}},"required":["d"]}"""));
        schema.Validate(Json("""{"a":[1,"2"],"b/c":"z"}""")).Errors.ShouldBe(
            [new("", "'d' is missing"), new("/a/1", "must be integer"), new("/b~1c", """must be one of ["x","y"]""")], ignoreOrder: true);
    }

    [Fact]
    public void At_most_ten_mistakes_are_told() =>
        JsonSchema.Parse(Json("""{"items":false}""")).Validate(Json("[1,2,3,4,5,6,7,8,9,10,11,12]")).Errors.Count.ShouldBe(10);

    [Theory]
    [InlineData("""{"pattern":"(?=a)b"}""", "", "cannot be checked", false)]
    [InlineData("""{"pattern":"["}""", "", "cannot be checked", false)]
    [InlineData("""{"allOf":[{"$ref":"https://example.com/other"}]}""", "/allOf/0/$ref", "leads nowhere")]
    [InlineData("""{"$ref":"#/$defs/missing"}""", "/$ref", "leads nowhere")]
    [InlineData("""{"$dynamicRef":"#missing"}""", "/$dynamicRef", "leads nowhere")]
    [InlineData("""{"properties":{"a":7}}""", "/properties/a", "is no schema")]
    [InlineData("""{"minLength":"2"}""", "/minLength", "is no number")]
    [InlineData("""{"type":["text","string"]}""", "/type", "is no type")]
    [InlineData("""7""", "", "is no schema")]
    public void What_cannot_be_checked_is_a_problem_and_accepts(string schema, string path, string problem, bool isMistake = true)
    {
        var parsed = JsonSchema.Parse(Json(schema));
        var found = parsed.Problems.ShouldHaveSingleItem();
        (found.Path, found.IsMistake).ShouldBe((path, isMistake));
        found.Message.ShouldContain(problem);
        parsed.Validate(Json("\"a\"")).IsValid.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}}}""")]
    [InlineData("""{"not":{"$ref":"#"}}""")]
    public void Endless_schemas_end_in_a_refusal(string schema) =>
        JsonSchema.Parse(Json(schema)).Validate(Json("1")).Errors.ShouldHaveSingleItem().Message.ShouldContain("too complex");

    [Fact]
    public void Exploding_schemas_end_in_a_refusal()
    {
        var definitions = string.Join(",", Enumerable.Range(0, 40).Select(i => $$"""
            "d{{i}}":{"allOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}
            """));
        var schema = JsonSchema.Parse(Json($$"""{"$ref":"#/$defs/d0","$defs":{ {{definitions}},"d40":true} }"""));
        schema.Validate(Json("1")).Errors.ShouldHaveSingleItem().Message.ShouldContain("too complex");
    }

    [Fact]
    public void Keeping_track_of_many_parts_is_limited_too()
    {
        var forms = string.Join(",", Enumerable.Repeat("""{"additionalProperties":true}""", 300));
        var value = "{" + string.Join(",", Enumerable.Range(0, 5_000).Select(i => $"\"p{i}\":1")) + "}";
        JsonSchema.Parse(Json($$"""{"anyOf":[{{forms}}],"unevaluatedProperties":false}""")).Validate(Json(value)).Errors.ShouldHaveSingleItem().Message.ShouldContain("too complex");
    }

    [Fact]
    public void Broken_unicode_is_refused() =>
        JsonSchema.Parse(Json("""{"maxLength":5}""")).Validate(Json("\"\\ud83d\"")).Errors.ShouldHaveSingleItem().Message.ShouldContain("Unicode");

    [Fact]
    public void Patterns_take_linear_time() =>
        JsonSchema.Parse(Json("""{"pattern":"^(a+)+$"}""")).Validate(Json($"\"{new string('a', 50_000)}b\"")).IsValid.ShouldBeFalse();

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
