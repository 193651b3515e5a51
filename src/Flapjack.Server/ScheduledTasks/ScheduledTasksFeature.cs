using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.ScheduledTasks.Tools;

namespace Flapjack.Server.ScheduledTasks;

internal static class ScheduledTasksFeature
{
    public static IServiceCollection AddScheduledTasks(this IServiceCollection services) => services
        .AddSingleton<ScheduledTaskStore>()
        .AddSingleton<TaskFiring>()
        .AddSingleton<TaskRoundsContext>()
        .AddSingleton<TaskRounds>()
        .AddHostedService(provider => provider.GetRequiredService<TaskRounds>())
        .AddScoped<IAgentDependant, ScheduledTaskRemoval>()
        .AddSingleton<IHousekeepingTask, EndedTasks>()
        .AddSingleton<IToolSource, ScheduleTools>();

    public static void MapScheduledTasks(this IEndpointRouteBuilder app)
    {
        ScheduledTasksConfigEndpoints.Map(app);
        ScheduledTaskEndpoints.Map(app);
    }
}
